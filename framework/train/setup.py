"""From a loaded recipe to what a run needs: the data, the experiment, the layout."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax

from framework import data as data_room
from framework.build.check import Checked, check
from framework.build.experiment import Experiment
from framework.build.state import State
from framework.config.compose.loaded import Loaded
from framework.config.schema.parallel import Auto, Layout
from framework.config.schema.root import Config
from framework.core.errors import ConfigError, Problem
from framework.core.words import listed
from framework.data.description import DataSpec
from framework.data.schedule import schedule_of
from framework.parallel.choose import LayoutWarning, choose
from framework.parallel.hosts.joining import company
from framework.parallel.hosts.team import Alone, Company
from framework.parallel.strategy import Strategy
from framework.runtime import prepare
from framework.runtime.effort import compiler_options
from framework.runtime.known import Known
from framework.train.evaluation import Evaluator
from framework.train.remembering import Remembering, known_of

_ABSTRACT_STEPS = 1000
"""Stands for the length of a run where the data was not loaded: it decides no shape."""


@dataclass(frozen=True, eq=False)
class Setup:
    """A loaded recipe with its data, opened on first use.

    Attributes:
      facts: the statistics of the training split, where they were taken before.
      elsewhere: the recipe is of a run that other devices may have made; a layout that does not fit those that are
        present gives way to `auto`.
    """

    loaded: Loaded
    facts: dict[str, Any] | None = None
    elsewhere: bool = False

    def __post_init__(self) -> None:
        # Here for all who compile: it must come before JAX starts its threads.
        prepare(self.config.name, lean=self.config.trainer.memory == "lean")

    @property
    def config(self) -> Config:
        """The validated recipe."""
        return self.loaded.config

    @cached_property
    def described(self) -> DataSpec:
        """What the data says of itself without being loaded."""
        with located(self.loaded):
            return data_room.describe(self.config.data)

    @cached_property
    def abstract(self) -> Experiment:
        """The experiment as far as it can be told without loading data: enough for shapes."""
        arrays = self.described.arrays
        with located(self.loaded):
            return Experiment(self.config, arrays, self.config.trainer.steps or _ABSTRACT_STEPS)

    def check(self) -> Checked:
        """Evaluate the whole recipe abstractly; raises ConfigError with all problems, located."""
        with located(self.loaded):
            return check(self.abstract, self.described)

    def check_once(self) -> None:
        """Evaluate the recipe abstractly, unless an earlier process found nothing wrong with one of its signature."""
        known = self._known_abstract if self.company.count == 1 else None
        if known is None:
            self.check()
        else:
            known.value("checked", lambda: bool(self.check()))

    @cached_property
    def shapes(self) -> State:
        """The abstract state."""

        def traced() -> State:
            return jax.eval_shape(self.abstract.init)

        known = self._known_abstract
        return traced() if known is None else known.value("state", traced)

    @cached_property
    def _known_recipe(self) -> Known | None:
        return known_of(self.loaded)

    @property
    def _known_abstract(self) -> Known | None:
        return self._known_recipe and self._known_recipe.within(repr(self.described))

    @property
    def company(self) -> Company:
        """The processes that compute this together: those that this one has joined."""
        return Alone() if self.elsewhere else company()

    @cached_property
    def dataset(self) -> Any:
        """The loaded data. Of several processes the first takes the statistics of the training split for all."""
        with located(self.loaded):
            if self.facts is not None or self.company.count == 1:
                return data_room.load(self.config.data, facts=self.facts)
            made: list[Any] = []

            def learned() -> dict[str, Any]:
                made.append(data_room.load(self.config.data))
                return made[0].facts()

            facts = self.company.tell("the statistics of the training split", learned)
            return made[0] if made else data_room.load(self.config.data, facts=facts)

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment with the true length of its run."""
        data, trainer = self.config.data, self.config.trainer
        with located(self.loaded):
            schedule = schedule_of(data, self.dataset.splits["train"], self.config.seed)
        total = trainer.steps or schedule.steps_per_epoch * (trainer.epochs or 0)
        return Experiment(self.config, self.dataset.spec, total)

    @property
    def evaluated_splits(self) -> tuple[str, ...]:
        """The splits that the stages `evaluate` and `predict` go over."""
        return self.config.run.evaluate_splits

    def check_splits(self, stages: tuple[str, ...]) -> None:
        """Open the data and see that it has the splits that the stages need.

        Raises:
          ConfigError: a split to evaluate is missing, or early stopping has no split to watch.
        """
        present = tuple(self.dataset.splits)
        problems = []
        lacking = [split for split in self.evaluated_splits if split not in present]
        if lacking and set(stages) & {"evaluate", "predict"}:
            kept = ",".join(split for split in self.evaluated_splits if split in present) or present[0]
            problems.append(
                Problem(
                    key="run.evaluate_splits",
                    found=f"the data has no split '{lacking[0]}'",
                    expected=listed(present),
                    fix=f"run.evaluate_splits=[{kept}]",
                )
            )
        if self.config.trainer.early_stop is not None and "valid" not in present:
            problems.append(
                Problem(
                    key="trainer.early_stop",
                    found="the data has no split 'valid' to watch",
                    expected=listed(present),
                    fix="trainer.early_stop=null, or give the data a validation split under data.split",
                )
            )
        if problems:
            raise ConfigError(problems).located(self.loaded.origins, self.loaded.subject)

    @cached_property
    def strategy(self) -> Strategy:
        """The layout over devices.

        Raises:
          ConfigError: it does not fit the recipe or the devices that are present.
        """
        try:
            with located(self.loaded):
                return self._layout(self.config.parallel)
        except ConfigError as error:
            if not self.elsewhere:
                raise
            reason = "; ".join(problem.found for problem in error.problems)
            warnings.warn(f"the layout of the run is not used here: {reason}", LayoutWarning, stacklevel=2)
            return self._layout(Auto(type="auto"))

    @cached_property
    def known(self) -> Known | None:
        """What earlier processes made for this recipe on such data; None where that cannot be known."""
        if self._known_recipe is None:
            return None
        dataset = self.dataset
        rows = {name: len(split) for name, split in dataset.splits.items()}
        data = json.dumps([rows, dataset.facts(), self.experiment.total_steps], default=repr)
        return self._known_recipe.within(data, repr(sorted(dataset.spec.items())))

    @cached_property
    def remembering(self) -> Strategy:
        """The layout for functions of this experiment and its data, which need not be traced where they are known."""
        return Remembering.over(self.strategy, self.known)

    def _layout(self, section: Layout) -> Strategy:
        return choose(
            section,
            lambda: self.shapes,
            batch_size=self.config.data.batch_size,
            stacked=lambda: self.abstract.stacked,
            options=compiler_options(self.config.trainer.compile, jax.default_backend()),
        )

    @cached_property
    def evaluator(self) -> Evaluator:
        """The compiled evaluation."""
        return Evaluator(self.experiment, self.dataset, self.remembering)


class located:  # noqa: N801 - reads as a verb where it is used
    """Adds origins to the problems of a ConfigError that passes through."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ConfigError):
            located = error.located(self._loaded.origins, self._loaded.subject)
            raise type(error)(located.problems, located.subject) from error.__cause__
