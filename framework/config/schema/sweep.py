"""The section `sweep`: which values of which keys are tried, who proposes them, and what they are judged by."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from framework.config.schema.base import CrossFieldError, Frozen, Number, Spec
from framework.core.errors import Problem

Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[int, Field(ge=0)]
Direction = Literal["minimize", "maximize"]
Sampler = Literal["grid", "random", "qmc", "tpe", "cmaes", "gp", "nsga2", "pbt"]
First = Annotated[Positive, Field(description="validations before the first comparison")]
Factor = Annotated[int, Field(ge=2, description="of so many trials compared one goes on, for as many times longer")]


class NoPruner(Spec):
    """Every trial goes on to its end."""

    type: Literal["none"]


class Median(Spec):
    """A trial ends where its best value yet is worse than the median of the others' at the same validation."""

    type: Literal["median"]
    after: NonNegative = Field(1, description="validations that every trial has")
    trials: Positive = Field(4, description="how many others there must be to compare with")


class Halving(Spec):
    """Asynchronous successive halving: at growing distances the best of those who came so far go on."""

    type: Literal["asha"]
    first: First = 1
    factor: Factor = 3


class Hyperband(Spec):
    """Several brackets of successive halving, of which later ones begin to compare later."""

    type: Literal["hyperband"]
    first: First = 1
    factor: Factor = 3
    brackets: Positive = Field(3, description="how many; each begins `factor` times later than the one before")


def _named(value: Any) -> Any:
    """A pruner may be written as its name alone."""
    return {"type": value} if isinstance(value, str) else value


Pruner = Annotated[NoPruner | Median | Halving | Hyperband, Field(discriminator="type"), BeforeValidator(_named)]
"""Any pruner, told apart by `type`."""


class Population(Spec):
    """How `sampler: pbt` lets the worst members of a population go on from the best ones."""

    every: Positive = Field(1, description="validations between two exchanges")
    fraction: Annotated[Number, Field(gt=0, le=0.5)] = Field(
        0.25, description="share of the members that is replaced, and share that is copied"
    )
    factors: tuple[Annotated[Number, Field(gt=0)], ...] = Field(
        (0.8, 1.25), strict=False, min_length=1, description="a copied value is multiplied by one of them"
    )
    resample: Annotated[Number, Field(ge=0, le=1)] = Field(
        0.25, description="how likely a copied value is drawn anew instead"
    )


class Sweep(Spec):
    """A search over settings of the recipe. `fw sweep` reads it; a run by itself does not."""

    space: dict[str, Frozen] = Field(
        default_factory=dict,
        description="key -> its values in Hydra's grammar: '1e-4,1e-3', range(8), log(interval(1e-4,1e-1)); or a list; "
        "or {values: ..., when: {key: value}} for an axis that exists only where other keys have these values",
    )
    zip: tuple[tuple[str, ...], ...] = Field(
        (), strict=False, description="groups of keys whose values go together, the first with the first, and so on"
    )
    sampler: Sampler = Field("grid", description="who proposes trials; grid takes every combination")
    trials: Positive | None = Field(None, description="how many; null: every combination, which only a grid has")
    seed: NonNegative = Field(0, description="of the sampler; the runs' own is `seed`")
    objective: str | tuple[str, ...] = Field(
        "valid.loss", description="split.metric that trials are judged by; several for nsga2"
    )
    direction: Direction | tuple[Direction, ...] = Field(
        "minimize", description="whether the objective is better smaller or greater; one for each"
    )
    batch: Positive | None = Field(None, description="trials that are proposed and run together; null: the sampler's")
    pruner: Pruner = Field(
        default_factory=lambda: NoPruner(type="none"),
        description="who ends trials early: none, median, asha, hyperband",
    )
    pbt: Population = Field(
        default_factory=lambda: Population.model_validate({}),
        description="of the sampler pbt: how members are exchanged",
    )
    storage: str | None = Field(
        None, description="URL of the study of tpe, cmaes, gp and nsga2; null: SQLite in the sweep's folder"
    )
    study: str | None = Field(None, description="name of the study in its storage; null: the sweep's folder")
    workers: Positive = Field(1, description="processes that work on the sweep at the same time")
    retries: NonNegative = Field(0, description="how often a trial that failed is tried again")
    fail_fast: bool = Field(False, description="end the sweep with the first trial that fails")
    dir: str | None = Field(None, description="folder of the sweep; null: runs/<recipe>/sweep-<time>")

    @model_validator(mode="after")
    def _one_direction_each(self) -> Sweep:
        given = self.direction
        if not isinstance(given, str) and len(given) != len(self.objectives):
            found = f"{len(given)} directions for {len(self.objectives)} objectives"
            each = [*given, *["minimize"] * len(self.objectives)][: len(self.objectives)]
            fix = f"sweep.direction=[{','.join(each)}]"
            raise CrossFieldError(Problem("direction", found, "one for each objective, or one for all", fix=fix))
        return self

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives, also where there is one."""
        return (self.objective,) if isinstance(self.objective, str) else self.objective

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The direction of each objective."""
        given = self.direction
        return (given,) * len(self.objectives) if isinstance(given, str) else given
