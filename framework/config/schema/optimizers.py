"""The section `optimizer` and its `schedule`: how parameters follow their gradients, and how the step size changes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from framework.config.schema.base import Component, Number, Traced

FinalFraction = Annotated[Traced, Field(ge=0, le=1, description="share of the learning rate that is left at the end")]


class ScheduleSpec(Component):
    """What every schedule has: a linear warm-up before its own shape begins."""

    family: ClassVar[str] = "schedule"

    warmup_steps: int = Field(0, ge=0, description="steps during which the learning rate rises to its full value")
    warmup_fraction: Number | None = Field(
        None, ge=0, le=1, description="warm-up as a share of all steps, instead of warmup_steps"
    )

    @model_validator(mode="after")
    def _one_warmup(self) -> Self:
        if self.warmup_steps and self.warmup_fraction is not None:
            raise ValueError("at most one of warmup_steps and warmup_fraction may be set; null or 0 unsets the other")
        return self


class Constant(ScheduleSpec):
    """The full learning rate throughout."""

    type: Literal["constant"]


class Linear(ScheduleSpec):
    """A straight line from the full learning rate to its final fraction."""

    type: Literal["linear"]
    final_fraction: FinalFraction = 0.0


class Cosine(ScheduleSpec):
    """Half a cosine from the full learning rate to its final fraction."""

    type: Literal["cosine"]
    final_fraction: FinalFraction = 0.0


class Exponential(ScheduleSpec):
    """A constant factor per step, chosen so that the final fraction is met at the end."""

    type: Literal["exponential"]
    final_fraction: Annotated[FinalFraction, Field(gt=0)] = 0.01


class InverseSquareRoot(ScheduleSpec):
    """The full learning rate until `timescale` steps, then falling as one over the square root of the step."""

    type: Literal["inverse_sqrt"]
    timescale: int = Field(1000, ge=1, description="steps after warm-up until the decay begins")


class Step(ScheduleSpec):
    """The learning rate times `factor` after each `every_steps` steps."""

    type: Literal["step"]
    every_steps: int = Field(ge=1, description="steps between two drops")
    factor: Traced = Field(0.1, gt=0, description="what each drop multiplies by")


class Piecewise(ScheduleSpec):
    """One fixed fraction of the learning rate from each boundary on."""

    type: Literal["piecewise"]
    boundaries: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        strict=False,
        min_length=1,
        description="steps from the start of the run at which the fraction changes",
    )
    fractions: tuple[Annotated[Number, Field(ge=0)], ...] = Field(
        strict=False, min_length=1, description="share of the full learning rate from each boundary on"
    )

    @model_validator(mode="after")
    def _one_fraction_each(self) -> Self:
        if len(self.boundaries) != len(self.fractions):
            raise ValueError(
                f"boundaries and fractions must have one entry each: found {len(self.boundaries)} and "
                f"{len(self.fractions)}"
            )
        if any(later <= earlier for earlier, later in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ValueError("boundaries must increase")
        return self


Schedule = Annotated[
    Constant | Linear | Cosine | Exponential | InverseSquareRoot | Step | Piecewise, Field(discriminator="type")
]
"""Any schedule, told apart by `type`."""

LearningRate = Annotated[Traced, Field(ge=0, allow_inf_nan=False, description="step size at the schedule's full value")]
WeightDecay = Annotated[
    Traced,
    Field(
        ge=0,
        json_schema_extra={"zero_is_off": True},
        description="decoupled: each step shrinks a parameter by learning_rate x weight_decay of itself",
    ),
]
Decay = Annotated[Traced, Field(ge=0, lt=1)]
Epsilon = Annotated[Traced, Field(ge=0)]
DecayMask = Annotated[
    Literal["kernels", "all"],
    Field(description="what decays: matrices and higher, without biases and scales; or everything"),
]


class OptimizerSpec(Component):
    """What every optimizer has: a learning rate, its schedule, clipping and accumulation."""

    family: ClassVar[str] = "optimizer"

    learning_rate: LearningRate = 1e-3
    schedule: Schedule = Field(default_factory=lambda: Constant.model_validate({"type": "constant"}))
    clip_norm: Traced | None = Field(None, gt=0, description="largest Euclidean norm of the whole gradient")
    clip_value: Traced | None = Field(None, gt=0, description="largest magnitude of a gradient's entry, clipped first")
    accumulate_steps: int = Field(1, ge=1, description="steps whose mean gradient makes one update")


class Sgd(OptimizerSpec):
    """Stochastic gradient descent with momentum and decoupled weight decay."""

    type: Literal["sgd"]
    learning_rate: LearningRate = 0.1
    momentum: Decay | None = Field(0.9, description="share of the last direction that is kept; null: no buffer")
    nesterov: bool = Field(False, description="look ahead along the momentum")
    weight_decay: WeightDecay = 0.0
    decay_mask: DecayMask = "kernels"

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum is None:
            raise ValueError("nesterov needs a momentum")
        return self


class Adam(OptimizerSpec):
    """Adam: steps scaled by running means of the gradient and of its square."""

    type: Literal["adam"]
    b1: Decay = Field(0.9, description="decay of the mean gradient")
    b2: Decay = Field(0.999, description="decay of the mean squared gradient")
    eps: Epsilon = Field(1e-8, description="added to the root of the mean squared gradient")


class AdamW(OptimizerSpec):
    """Adam with decoupled weight decay."""

    type: Literal["adamw"]
    b1: Decay = Field(0.9, description="decay of the mean gradient")
    b2: Decay = Field(0.999, description="decay of the mean squared gradient")
    eps: Epsilon = Field(1e-8, description="added to the root of the mean squared gradient")
    weight_decay: WeightDecay = 0.01
    decay_mask: DecayMask = "kernels"


class Lion(OptimizerSpec):
    """Lion: the sign of an interpolated momentum, with decoupled weight decay."""

    type: Literal["lion"]
    learning_rate: LearningRate = 1e-4
    b1: Decay = Field(0.9, description="share of the momentum in the direction of a step")
    b2: Decay = Field(0.99, description="decay of the momentum")
    weight_decay: WeightDecay = 0.1
    decay_mask: DecayMask = "kernels"


class Rmsprop(OptimizerSpec):
    """RMSprop: steps scaled by a running mean of the squared gradient."""

    type: Literal["rmsprop"]
    decay: Decay = Field(0.9, description="decay of the mean squared gradient")
    eps: Epsilon = Field(1e-8, description="added to the root of the mean squared gradient")
    momentum: Decay | None = Field(None, description="share of the last direction that is kept; null: no buffer")


class Adagrad(OptimizerSpec):
    """Adagrad: steps scaled by the sum of all squared gradients."""

    type: Literal["adagrad"]
    learning_rate: LearningRate = 0.1
    initial_accumulator: Traced = Field(0.1, ge=0, description="what the sum of squares starts from")
    eps: Epsilon = Field(1e-7, description="added to the sum of squares")


class Lamb(OptimizerSpec):
    """LAMB: AdamW with each array's step scaled to the array's own norm, for large batches."""

    type: Literal["lamb"]
    b1: Decay = Field(0.9, description="decay of the mean gradient")
    b2: Decay = Field(0.999, description="decay of the mean squared gradient")
    eps: Epsilon = Field(1e-6, description="added to the root of the mean squared gradient")
    weight_decay: WeightDecay = 0.0
    decay_mask: DecayMask = "kernels"


class Adafactor(OptimizerSpec):
    """Adafactor: Adam without momentum, its second moment kept as row and column means to save memory."""

    type: Literal["adafactor"]
    learning_rate: LearningRate = 1e-2
    decay_exponent: Traced = Field(0.8, gt=0, description="the second moment's decay at step t is 1 - t^-exponent")
    clip_threshold: Traced = Field(1.0, gt=0, description="largest root mean square of one array's step")
    factor_from: int = Field(128, ge=1, description="smallest axis from which on an array's second moment is factored")
    weight_decay: WeightDecay = 0.0
    decay_mask: DecayMask = "kernels"


Optimizer = Annotated[Sgd | Adam | AdamW | Lion | Rmsprop | Adagrad | Lamb | Adafactor, Field(discriminator="type")]
"""Any optimizer, told apart by `type`."""
