"""The whole recipe: one frozen `Config` with one field per section."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from framework.config.schema.base import CrossFieldError, Spec
from framework.config.schema.data import DataSection
from framework.config.schema.losses import Loss
from framework.config.schema.metrics import Metric
from framework.config.schema.network import NetworkSection
from framework.config.schema.optimizers import Optimizer
from framework.config.schema.parallel import Auto, Parallel
from framework.config.schema.sweep import Sweep
from framework.config.schema.training import CheckpointSection, Report, Run, Trainer
from framework.core.axes import uneven_batch
from framework.core.errors import Problem


class Config(Spec):
    """A validated recipe."""

    name: str = Field(min_length=1, description="the recipe's name; runs are kept under it")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="of initialisation, data order and dropout")
    data: DataSection
    network: NetworkSection
    losses: dict[str, Loss] = Field(min_length=1, description="name -> loss; the sum by weight is minimised")
    metrics: dict[str, Metric] = Field(default_factory=dict, description="name -> metric")
    optimizer: Optimizer
    trainer: Trainer
    checkpoint: CheckpointSection = Field(default_factory=lambda: CheckpointSection.model_validate({}))
    report: Report = Field(default_factory=lambda: Report.model_validate({}))
    parallel: Parallel = Field(default_factory=lambda: Auto(type="auto"))
    run: Run = Field(default_factory=lambda: Run.model_validate({}))
    # Left out of a run's config.yaml: what a member of a sweep is does not depend on how it was found.
    sweep: Sweep = Field(default_factory=lambda: Sweep.model_validate({}), exclude=True)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        expected = "exactly one of trainer.epochs and trainer.steps"
        if self.trainer.epochs is None and self.trainer.steps is None:
            raise CrossFieldError(Problem("trainer.epochs", "no length is set", expected, fix="trainer.epochs=10"))
        if self.trainer.epochs is not None and self.trainer.steps is not None:
            found = f"both lengths are set: {self.trainer.epochs} epochs and {self.trainer.steps} steps"
            raise CrossFieldError(Problem("trainer.epochs", found, expected, fix="trainer.epochs=null"))
        return self

    @model_validator(mode="after")
    def _batch_divides(self) -> Self:
        parts, size = self.parallel.known_rows(), self.data.batch_size
        if parts is not None and size % parts:
            raise CrossFieldError(uneven_batch(size, parts))
        return self
