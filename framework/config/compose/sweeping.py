"""Hydra's multirun over a recipe: its sweepers expand the overrides, its launchers run the jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict
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
from framework.config.compose.names import find
from framework.config.compose.overrides import Word, read_overrides
from framework.config.compose.pipeline import load
from framework.config.compose.protection import unprotected
from framework.config.compose.source import GROUP
from framework.core.errors import ConfigError, Problem

Task = Callable[[Loaded, int, Path], Any]
"""What a job does with its recipe, its number from 0, and the folder of the sweep. Its result goes to the sweeper."""


def multirun(
    recipe: str,
    overrides: Sequence[str],
    task: Task,
    *,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
) -> list[Any]:
    """Run `task` once for every job of a sweep and return the results in the order of the jobs.

    `key=1,2,3`, `key=range(1,4)`, `group=a,b` and `key=choice(...)` span a grid. `hydra/sweeper=NAME` and
    `hydra/launcher=NAME` choose plugins that are installed; the results of such a sweeper are its own affair, and the
    list is empty. The folder of the sweep is `runs/<recipe>/sweep-<time>` unless `hydra.sweep.dir=` says otherwise.
    Without such plugins every job is validated before the first one runs, and the first failure ends the sweep.

    Raises:
      ConfigError: an override cannot be read, or a job of the grid is not a valid recipe. Nothing has run by then.
    """
    entry = find(recipe, config_dirs)
    subject = f"recipe {entry.name}"
    with hydra_behaviour(), _own_job_config():
        find_plugins()
        loader = Loader(search_path(all_roots(entry, config_dirs), trust))
        try:
            words = read_overrides(overrides, groups_of(loader), sweep=True, trust=trust)
        except ConfigError as error:
            raise ConfigError(error.problems, subject) from None
        given = [
            recipe_override(entry),
            *(word.for_hydra for word in words),
            *quiet(words),
            *_folder(words, entry.name),
        ]
        plugins = ("hydra/sweeper", "hydra/launcher")
        native = "hydra" not in trust and not any(word.parsed.key_or_group in plugins for word in words)
        job = Job(task, recipe, tuple(config_dirs), tuple(trust), _texts(words), stops=native)
        try:
            if native:
                _check_jobs(job, given, words, loader, subject)
            hydra = Hydra(task_name=entry.name, config_loader=loader)
            returns = hydra.multirun(PRIMARY, job, [*given, "hydra.mode=MULTIRUN"], with_log_configuration=False)
        except _StoppedError as stopped:
            raise stopped.error from None
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(_problem(error, loader, words), subject) from None
    batches = returns if native and isinstance(returns, list) else []
    return [result.return_value for batch in batches for result in batch]


class _StoppedError(BaseException):
    """Carries a job's exception past Hydra, which would print a line, run the other jobs and only then raise."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Job:
    """What Hydra calls for each job: loads the recipe with the job's overrides and hands it to the task.

    A launcher may send it to another process, so it holds only what can be pickled.
    """

    task: Task
    recipe: str
    config_dirs: tuple[str | Path, ...]
    trust: tuple[str, ...]
    texts: dict[str, str]
    stops: bool
    loaded: dict[tuple[str, ...], Loaded] = field(default_factory=dict, compare=False)

    def __call__(self, _: Any) -> Any:
        """Run the job that Hydra has set up in this process."""
        hydra = HydraConfig.get()
        folder = Path(hydra.sweep.dir)
        if int(hydra.job.num) == 0:
            _restore(folder / "multirun.yaml")
        try:
            overrides = OmegaConf.to_container(hydra.overrides.task, resolve=False)
            assert isinstance(overrides, list)
            return self.task(self.load([str(text) for text in overrides]), int(hydra.job.num), folder)
        except Exception as error:
            if self.stops:
                raise _StoppedError(error) from None
            raise

    def load(self, overrides: Sequence[str]) -> Loaded:
        """The recipe of a job, its overrides as the user would have typed them. Kept, for when the job runs."""
        words = tuple(self.typed(overrides))
        if words not in self.loaded:
            self.loaded[words] = load(self.recipe, words, config_dirs=self.config_dirs, trust=self.trust)
        return self.loaded[words]

    def typed(self, overrides: Sequence[str]) -> list[str]:
        """A job's overrides as the user would have typed them, without the recipe's and Hydra's own."""
        own = [text for text in overrides if not text.startswith((f"{GROUP}=", "hydra.", "hydra/"))]
        return [self._typed(text) for text in own]

    def _typed(self, text: str) -> str:
        key, _, value = text.partition("=")
        return self.texts.get(key, text).replace(_VALUE, value)


_VALUE = "\0"
"""Stands for a swept value in `Job.texts`."""


def _restore(file: Path) -> None:
    """Put the interpolations back that were hidden from OmegaConf when Hydra wrote the sweep's configuration."""
    if file.is_file():
        file.write_text(unprotected(file.read_text(encoding="utf-8")), encoding="utf-8")


def _texts(words: Sequence[Word]) -> dict[str, str]:
    """Key, as Hydra gives it to a job -> the override as typed, with `_VALUE` for a value that is swept."""
    texts = {}
    for word in words:
        key = word.for_hydra.partition("=")[0]
        texts[key] = f"{word.text.partition('=')[0]}={_VALUE}" if word.parsed.is_sweep_override() else word.text
    return texts


def _folder(words: Sequence[Word], name: str) -> list[str]:
    if any(word.parsed.key_or_group == "hydra.sweep.dir" for word in words):
        return []
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return [f"hydra.sweep.dir='runs/{quoted}/sweep-{datetime.now():%Y-%m-%d_%H-%M-%S}'"]


def _check_jobs(job: Job, given: Sequence[str], words: Sequence[Word], loader: Loader, subject: str) -> None:
    """Load every job of the grid, so that a mistake in the last one is told before the first one runs."""
    parser = OverridesParser.create(config_loader=loader)
    parsed = parser.parse_overrides([word.for_hydra for word in words if word.kind != "hydra"])
    swept = {override.get_key_element() for override in parsed if override.is_sweep_override()}
    grid = [overrides for batch in BasicSweeper.split_arguments(parsed, None) for overrides in batch]
    config = loader.load_configuration(PRIMARY, list(given), RunMode.MULTIRUN, from_shell=False)
    problems: dict[Problem, None] = {}
    failing = ""
    for number, overrides in enumerate(grid):
        with open_dict(config):
            config.hydra.job.num = number
            config.hydra.job.id = str(number)
        HydraConfig.instance().cfg = config  # type: ignore[assignment]  # for ${hydra:job.num}
        try:
            job.load(overrides)
        except ConfigError as error:
            problems.update(dict.fromkeys(error.problems))
            values = " ".join(job.typed([text for text in overrides if text.partition("=")[0] in swept]))
            failing = failing or f"job {number} of {len(grid)} ({values})"
    if problems:
        raise ConfigError(problems, f"{subject}, {failing},")


def _problem(error: Exception, loader: Loader, words: Sequence[Word]) -> Problem:
    sweeps = [word for word in words if word.parsed.is_interval_sweep()]
    if sweeps and "sweep type" in str(error):
        return Problem(
            sweeps[0].key,
            "an interval has no end of values to try one by one",
            "a list or a range of values, or a sweeper that samples",
            sweeps[0].origin,
            "hydra/sweeper=optuna, once hydra-optuna-sweeper is installed",
        )
    return composition_problem(error, loader.read_files(), words, groups_of(loader))


@contextmanager
def _own_job_config() -> Iterator[None]:
    """Leave Hydra's notion of the current job as it was."""
    before = HydraConfig.instance().cfg
    try:
        yield
    finally:
        HydraConfig.instance().cfg = before
