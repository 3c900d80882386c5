"""The jobs of a sweep over a recipe: their overrides as Hydra gives them and as one types them, and their recipes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from framework.config.compose.loaded import Loaded
from framework.config.compose.loader import (
    PRIMARY,
    Loader,
    all_roots,
    find_plugins,
    groups_of,
    hydra_behaviour,
    quiet,
    recipe_override,
    search_path,
)
from framework.config.compose.messages import composition_problem
from framework.config.compose.overrides import Word, read_overrides
from framework.config.compose.pipeline import Recipe
from framework.config.compose.source import GROUP
from framework.core.errors import ConfigError, Problem

VALUE = "\0"
"""Stands for a swept value in the text of an override."""

SAMPLE = "sweep.sampler=random sweep.trials=20"
"""What to type to try values of an interval."""


_MULTIRUN = "hydra.mode=MULTIRUN"


class _Hydra(Hydra):
    """Hydra, which takes the sweep's configuration where that was composed before: anew it would take 0.1 s."""

    composed: tuple[list[str], DictConfig] | None = None

    def compose_config(self, config_name: str | None, overrides: list[str], *given: Any, **named: Any) -> DictConfig:
        if self.composed is not None and self.composed[0] == overrides:
            return self.composed[1]
        return super().compose_config(config_name, overrides, *given, **named)


class Jobs:
    """A recipe and the overrides of a sweep over it, for Hydra to expand and for us to load.

    Attributes:
      recipe: loads each job.
      words: the overrides, those that sweep among them.

    Raises:
      ConfigError: there is no such recipe, or an override cannot be read; all at once.
    """

    def __init__(
        self,
        recipe: str,
        overrides: Sequence[str],
        config_dirs: Sequence[str | Path] = (),
        trust: Sequence[str] = (),
    ) -> None:
        self.recipe = Recipe(recipe, config_dirs=config_dirs, trust=trust)
        self.trust = tuple(trust)
        self._composed: tuple[list[str], DictConfig] | None = None
        with hydra_behaviour():
            find_plugins()
            self.loader = Loader(search_path(all_roots(self.recipe.entry, config_dirs), trust))
            self.groups = groups_of(self.loader)
            self.words = self.read(overrides)

    def read(self, overrides: Sequence[str]) -> list[Word]:
        """Overrides, with those that sweep."""
        try:
            return read_overrides(overrides, self.groups, sweep=True, trust=self.trust)
        except ConfigError as error:
            raise ConfigError(error.problems, self.recipe.subject) from None

    def chose(self, name: str) -> bool:
        """Whether an override sets a key or a group."""
        return any(word.parsed.key_or_group == name for word in self.words)

    def given(self, words: Sequence[Word], extra: Sequence[str] = ()) -> list[str]:
        """What Hydra is given: the recipe, some of the words, and what keeps Hydra's logging away."""
        own = (word.for_hydra for word in words)
        return [recipe_override(self.recipe.entry), *own, *quiet(self.words), *extra]

    def configuration(self, given: Sequence[str]) -> DictConfig:
        """Hydra's own configuration of the sweep, which `${hydra:job.num}` reads.

        Raises:
          ConfigError: it does not compose.
        """
        with hydra_behaviour(), self.told():
            words = [*given, _MULTIRUN]
            config = self.loader.load_configuration(PRIMARY, words, RunMode.MULTIRUN, from_shell=False)
        self._composed = (words, deepcopy(config))
        return config

    def sweep_configuration(self, config: DictConfig, overrides: Sequence[str]) -> DictConfig:
        """Hydra's own configuration of one job, which takes a composition."""
        with hydra_behaviour(), self.told():
            return self.loader.load_sweep_config(config, list(overrides))

    def load_all(
        self,
        jobs: Sequence[Sequence[str]],
        shown: Sequence[Sequence[str]],
        config: DictConfig,
        numbers: Sequence[int] | None = None,
    ) -> list[Loaded]:
        """The recipes of several jobs.

        Args:
          jobs: their overrides as typed.
          shown: those that tell a job from others, for the error.
          config: from `configuration`.
          numbers: of the jobs; by default from 0.

        Raises:
          ConfigError: with every problem of every job; a mistake that many jobs share is told once.
        """
        loaded = []
        problems: dict[tuple[str, str], Problem] = {}
        failing = ""
        numbers = range(len(jobs)) if numbers is None else numbers
        with numbering(config) as number:
            for index, overrides in enumerate(jobs):
                number(numbers[index])
                try:
                    loaded.append(self.recipe.load(overrides))
                except ConfigError as error:
                    for problem in error.problems:
                        problems.setdefault((problem.key, problem.found), problem)
                    which = f"job {numbers[index]} of {max(numbers) + 1} ({' '.join(shown[index])})"
                    failing = failing or which
        if problems:
            raise ConfigError(problems.values(), f"{self.recipe.subject}, {failing},")
        return loaded

    def multirun(self, task: Any, given: Sequence[str]) -> Any:
        """Let Hydra's sweeper and launcher run `task`; the result is the sweeper's.

        Raises:
          ConfigError: Hydra cannot compose, or the sweeper cannot take what it is given.
        """
        with hydra_behaviour(), own_job_config(), self.told():
            hydra = _Hydra(task_name=self.recipe.entry.name, config_loader=self.loader)
            hydra.composed, self._composed = self._composed, None  # what runs may change it
            return hydra.multirun(PRIMARY, task, [*given, _MULTIRUN], with_log_configuration=False)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Key, as Hydra gives it to a job -> the override as typed, with `VALUE` for a value that is swept."""
        return texts_of(self.words)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what Hydra says into a problem."""
        try:
            yield
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(self._problem(error), self.recipe.subject) from None

    def _problem(self, error: Exception) -> Problem:
        sweeps = [word for word in self.words if word.parsed.is_interval_sweep()]
        if sweeps and "sweep type" in str(error):
            return endless(sweeps[0].key, sweeps[0].origin)
        return composition_problem(error, self.loader.read_files(), self.words, self.groups)


def endless(key: str, origin: str) -> Problem:
    """The problem of an interval where values are tried one by one."""
    found = "an interval has no end of values to try one by one"
    return Problem(key, found, "a list or a range of values, or a sampler that draws from it", origin, SAMPLE)


def texts_of(words: Sequence[Word]) -> dict[str, str]:
    """Key, as Hydra gives it to a job -> the override as typed, with `VALUE` for a value that is swept."""
    texts = {}
    for word in words:
        key = word.for_hydra.partition("=")[0]
        texts[key] = f"{word.text.partition('=')[0]}={VALUE}" if word.parsed.is_sweep_override() else word.text
    return texts


def typed(overrides: Sequence[str], texts: dict[str, str]) -> list[str]:
    """A job's overrides as the user would have typed them, without the recipe's and Hydra's own."""
    own = [text for text in overrides if not text.startswith((f"{GROUP}=", "hydra.", "hydra/"))]
    return [texts.get(key, text).replace(VALUE, value) for text in own for key, _, value in [text.partition("=")]]


@contextmanager
def numbering(config: DictConfig) -> Iterator[Callable[[int], None]]:
    """Gives what sets `${hydra:job.num}`, as long as the context lasts."""

    def number(value: int) -> None:
        config.hydra.job.num = value
        config.hydra.job.id = str(value)

    with own_job_config(), open_dict(config):
        HydraConfig.instance().cfg = config  # type: ignore[assignment]
        yield number


@contextmanager
def own_job_config() -> Iterator[None]:
    """Leave Hydra's notion of the current job as it was."""
    before = HydraConfig.instance().cfg
    try:
        yield
    finally:
        HydraConfig.instance().cfg = before
