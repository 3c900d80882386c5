"""Hydra's multirun over a recipe: its sweepers expand the overrides, its launchers run the jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from framework.config.compose.jobs import Jobs, typed
from framework.config.compose.loaded import Loaded
from framework.config.compose.pipeline import Recipe
from framework.config.compose.protection import unprotected

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
    jobs = Jobs(recipe, overrides, config_dirs, trust)
    name = jobs.recipe.entry.name
    given = jobs.given(jobs.words, () if jobs.chose("hydra.sweep.dir") else (folder_override(fresh_folder(name)),))
    native = "hydra" not in trust and not jobs.chose("hydra/sweeper") and not jobs.chose("hydra/launcher")
    job = Job(task, recipe, tuple(config_dirs), tuple(trust), jobs.texts, stops=native, source=jobs.recipe)
    if native:
        _check_jobs(job, given, jobs)
    try:
        returns = jobs.multirun(job, given)
    except StoppedError as stopped:
        raise stopped.error from None
    batches = returns if native and isinstance(returns, list) else []
    return [result.return_value for batch in batches for result in batch]


class StoppedError(BaseException):
    """Carries a job's exception past Hydra, which would print a line, run the other jobs and only then raise."""

    def __init__(self, error: BaseException) -> None:
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
    source: Recipe | None = None
    loaded: dict[tuple[str, ...], Loaded] = field(default_factory=dict, compare=False)

    def __call__(self, _: Any) -> Any:
        """Run the job that Hydra has set up in this process."""
        hydra = HydraConfig.get()
        folder = Path(hydra.sweep.dir)
        if int(hydra.job.num) == 0:
            restore(folder / "multirun.yaml")
        try:
            overrides = OmegaConf.to_container(hydra.overrides.task, resolve=False)
            assert isinstance(overrides, list)
            return self.task(self.load([str(text) for text in overrides]), int(hydra.job.num), folder)
        except Exception as error:
            if self.stops:
                raise StoppedError(error) from None
            raise

    def load(self, overrides: Sequence[str]) -> Loaded:
        """The recipe of a job, its overrides as the user would have typed them. Kept, for when the job runs."""
        words = tuple(self.typed(overrides))
        if words not in self.loaded:
            source = self.source or Recipe(self.recipe, config_dirs=self.config_dirs, trust=self.trust)
            self.loaded[words] = source.load(words)
        return self.loaded[words]

    def typed(self, overrides: Sequence[str]) -> list[str]:
        """A job's overrides as the user would have typed them, without the recipe's and Hydra's own."""
        return typed(overrides, self.texts)


def restore(file: Path) -> None:
    """Put the interpolations back that were hidden from OmegaConf when Hydra wrote the sweep's configuration."""
    if file.is_file():
        file.write_text(unprotected(file.read_text(encoding="utf-8")), encoding="utf-8")


def fresh_folder(name: str) -> str:
    """The folder of a sweep that nobody has named."""
    return f"runs/{name}/sweep-{datetime.now():%Y-%m-%d_%H-%M-%S}"


def folder_override(folder: str) -> str:
    """The override that makes a folder that of the sweep."""
    quoted = folder.replace("\\", "\\\\").replace("'", "\\'")
    return f"hydra.sweep.dir='{quoted}'"


def _check_jobs(job: Job, given: Sequence[str], jobs: Jobs) -> None:
    """Load every job of the grid, so that a mistake in the last one is told before the first one runs."""
    config = jobs.configuration(given)
    grid = expand(jobs)
    parts = [job.typed(overrides) for overrides in grid]
    swept = {word.text.partition("=")[0] for word in jobs.words if word.parsed.is_sweep_override()}
    shown = [[text for text in part if text.partition("=")[0] in swept] for part in parts]
    for part, loaded in zip(parts, jobs.load_all(parts, shown, config), strict=True):
        job.loaded[tuple(part)] = loaded


def expand(jobs: Jobs) -> list[list[str]]:
    """The jobs of the grid that the words span, as Hydra gives them to each job."""
    parser = OverridesParser.create(config_loader=jobs.loader)
    with jobs.told():
        parsed = parser.parse_overrides([word.for_hydra for word in jobs.words if word.kind != "hydra"])
        return [overrides for batch in BasicSweeper.split_arguments(parsed, None) for overrides in batch]
