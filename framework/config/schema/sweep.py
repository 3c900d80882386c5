"""The section `sweep`: which values of which keys are tried, who proposes them, and what they are judged by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from framework.config.schema.base import Frozen, Spec

Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[int, Field(ge=0)]
Direction = Literal["minimize", "maximize"]
Sampler = Literal["grid", "random", "qmc", "tpe", "cmaes", "gp", "nsga2"]


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
    retries: NonNegative = Field(0, description="how often a trial that failed is tried again")
    fail_fast: bool = Field(False, description="end the sweep with the first trial that fails")
    dir: str | None = Field(None, description="folder of the sweep; null: runs/<recipe>/sweep-<time>")

    @model_validator(mode="after")
    def _one_direction_each(self) -> Sweep:
        given = self.direction
        if not isinstance(given, str) and len(given) != len(self.objectives):
            raise ValueError(f"direction: {len(given)} directions for {len(self.objectives)} objectives")
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
