"""The sections that govern a run: `trainer`, `checkpoint`, `report` and `run`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from framework.config.schema.base import Spec, Traced
from framework.config.schema.mixing import Mix
from framework.config.schema.precision import Precision

Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[int, Field(ge=0)]


class EarlyStop(Spec):
    """Stop when a validation metric has not improved for a while."""

    monitor: str = Field("valid.loss", description="split.metric to watch")
    mode: Literal["min", "max"] = Field("min", description="whether the watched metric is better smaller or greater")
    patience: Positive = Field(10, description="validations without improvement before stopping")
    min_delta: float = Field(0.0, ge=0, description="a smaller change does not count as an improvement")


Form = Literal["auto", "xla"]


class Lowering(Spec):
    """Which form each costly operation takes; `auto` chooses by platform, shape and memory."""

    default: Form = Field(
        "auto", description="for every family below that is `auto`; xla: as JAX computes it by itself"
    )
    attention: Form | Literal["fused", "blocks", "cudnn", "splash"] = Field(
        "auto", description="attention weights and what they gather"
    )
    projection: Form | Literal["fused"] = Field("auto", description="dense layers and the maps of attention")
    normalization: Form | Literal["fused"] = Field("auto", description="layer and batch normalisation")
    activation: Form | Literal["fused"] = Field("auto", description="the Gaussian error linear unit")
    convolution: Form | Literal["patches", "rows", "shifts", "fft"] = Field("auto", description="convolutions")
    pooling: Form | Literal["tiles", "shifts"] = Field("auto", description="pooling by the largest value")
    cross_entropy: Form | Literal["fused"] = Field("auto", description="cross-entropy of classes")


class Trainer(Spec):
    """How long and in what rhythm to train. Exactly one of `epochs` and `steps` is set."""

    epochs: Positive | None = Field(None, description="passes over the training split")
    steps: Positive | None = Field(None, description="optimizer steps")
    steps_per_dispatch: Positive | Literal["auto"] = Field("auto", description="steps that one XLA execution runs")
    compile: Literal["fast", "balanced", "max"] = Field(
        "balanced", description="fast: a quick compilation, for a look or a few steps; max: the whole program at once"
    )
    memory: Literal["auto", "fast", "lean"] = Field(
        "auto",
        description="lean: keep little until the backward pass and give freed memory back; fast: all that is faster",
    )
    precision: Precision | None = Field(
        None,
        description="number format to compute in of layers without a `dtype`; weights stay float32; null: as they say",
    )
    matmul_precision: Literal["fast", "bfloat16", "tensorfloat32", "float32"] | None = Field(
        None,
        description="to what operands of float32 products may be rounded, sums staying float32; null: as JAX does for "
        "the platform; fast: likewise, but bfloat16 on a CPU that multiplies it faster",
    )
    lowering: Lowering = Field(
        Lowering(),  # pyright: ignore[reportCallIssue]
        description="the form of each costly operation",
    )
    validate_every_steps: Positive | None = Field(None, description="steps between validations; null: each epoch")
    log_every_steps: Positive = Field(50, description="steps that one training record averages over")
    ema_decay: Traced | None = Field(None, gt=0, lt=1, description="keep an exponential moving average of parameters")
    mix: Mix | None = Field(
        None, description="mix the examples of a batch with each other while training; null: do not"
    )
    early_stop: EarlyStop | None = Field(None, description="when to stop before the end; null: never")
    on_nonfinite: Literal["stop", "ignore"] = Field("stop", description="what a NaN or infinite loss does")


class CheckpointSection(Spec):
    """Which states are kept on disk."""

    enabled: bool = Field(True, description="keep states at all; without, a run that is killed starts again")
    every_steps: Positive | None = Field(None, description="steps between saves; null: at each validation")
    keep: Positive = Field(2, description="how many of the latest checkpoints stay")
    monitor: str | None = Field("valid.loss", description="split.metric that defines the best; null: keep no best")
    mode: Literal["min", "max"] = Field("min", description="whether the best is the smallest or the greatest")


class Report(Spec):
    """What is written about a run, besides `metrics.jsonl` and `result.json`."""

    tensorboard: bool = Field(True, description="write scalars, the recipe and hparams for TensorBoard")
    progress: Literal["auto", "bar", "plain", "none"] = Field("auto", description="what the terminal shows meanwhile")
    figures: bool = Field(True, description="draw PNGs (learning curves, confusion matrix) at the end")


class Run(Spec):
    """Where the run lives and which stages it has."""

    dir: str | None = Field(None, description="run directory; null: runs/<recipe>/<time>")
    stages: tuple[Literal["train", "evaluate", "predict"], ...] = Field(
        ("train", "evaluate"), strict=False, description="what `fw run` does, in this order"
    )
    evaluate_splits: tuple[str, ...] = Field(("test",), strict=False, description="splits of the stage `evaluate`")
    evaluate_checkpoint: Literal["best", "last"] = Field("best", description="state that is evaluated")
