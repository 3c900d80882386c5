"""Hydra's launchers `ray`, `submitit_local` and `submitit_slurm`: groups of one program run on other processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, Problem
from framework.sweep.engines.settings import PREFIX, EngineSettings, RaySettings, SubmititSettings, read_settings
from framework.sweep.grouping import Group
from framework.sweep.launcher import MODULE, VectorizedLauncher
from framework.sweep.members import Director

if TYPE_CHECKING:
    from framework.sweep.engines.pool import Engine
    from framework.sweep.session import Session


class EngineLauncher(VectorizedLauncher):
    """Hands the groups of a sweep to an engine; the ledger stays with this process."""

    __module__ = MODULE

    def __init__(self, **given: Any) -> None:
        self._given = given
        self._engine: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Read the settings; Hydra would hide what is wrong with them in an error of its own."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        check_launcher({"_target_": f"{MODULE}.{type(self).__name__}", **self._given}, self.session.prepared.section)

    @property
    def session(self) -> Session:
        """The sweep's session."""
        return self.task.session

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run jobs elsewhere, and give the objective of each."""
        return self.launched(job_overrides, self._run)

    def close(self) -> None:
        """Let go of the engine."""
        if hasattr(self._engine, "close"):
            self._engine.close()
        self._engine = None

    def engine(self) -> Engine:
        """The engine, made for the first groups."""
        raise TypeError("each kind of launcher makes its own")

    def watchers(self) -> list[Director]:
        """Directors of the engine's own."""
        return []

    def _run(self, groups: Sequence[Group], director: Director) -> None:
        from framework.sweep.directors import Directors
        from framework.sweep.engines.pool import Pool

        session, section = self.session, self.session.prepared.section
        if self._engine is None:
            self._engine, self._watchers = self.engine(), self.watchers()
        pool = Pool(
            self._engine,
            session.folder,
            whole=section.sampler == "pbt",
            leave=lambda: section.fail_fast and bool(session.failures.numbers),
            tell=session.tell,
        )
        pool.run(groups, Directors([director, *self._watchers]))


class RayLauncher(EngineLauncher):
    """`hydra/launcher=ray`."""

    __module__ = MODULE

    def engine(self) -> Engine:
        """Connect to Ray."""
        from framework.sweep.engines.ray_engine import RayEngine

        return RayEngine(read_settings(RaySettings, self._given))

    def watchers(self) -> list[Director]:
        """The scheduler of Ray Tune, if one is asked for."""
        from framework.sweep.engines.tune import TuneScheduler

        scheduler = read_settings(RaySettings, self._given).scheduler
        return [] if scheduler is None else [TuneScheduler(scheduler, self.session.prepared.section)]


class SubmititLauncher(EngineLauncher):
    """`hydra/launcher=submitit_local` and `hydra/launcher=submitit_slurm`."""

    __module__ = MODULE

    def engine(self) -> Engine:
        """Make submitit's executor."""
        from framework.sweep.engines.submitit_engine import SubmititEngine

        return SubmititEngine(read_settings(SubmititSettings, self._given), self.session.folder)


def check_launcher(node: Mapping[str, Any], section: Sweep) -> None:
    """See that a launcher of this room can do what a sweep asks for; nothing is written.

    Args:
      node: `hydra.launcher`, of this or of any other launcher.

    Raises:
      ConfigError: a package is missing, a setting is wrong, or the sweep's own settings do not go with it.
    """
    name = str(node.get("_target_", ""))
    problems: list[Problem] = []
    try:
        if name == f"{MODULE}.RayLauncher":
            from framework.sweep.engines.ray_engine import check_ray

            settings: EngineSettings = read_settings(RaySettings, node)
            assert isinstance(settings, RaySettings)
            problems += _of_scheduler(settings, section)
            check_ray(settings)
        elif name == f"{MODULE}.SubmititLauncher":
            from framework.sweep.engines.submitit_engine import check_submitit

            check_submitit(read_settings(SubmititSettings, node))
        else:
            return
    except ConfigError as error:
        problems += error.problems
    if section.workers > 1:
        found = "the launcher starts the workers, and one process proposes trials"
        problems.append(Problem("sweep.workers", found, "1", fix=f"{PREFIX}.max_workers={section.workers}"))
    if problems:
        raise ConfigError(problems)


def _of_scheduler(settings: RaySettings, section: Sweep) -> Iterator[Problem]:
    if settings.scheduler is None:
        return
    key, off = f"{PREFIX}.scheduler", f"{PREFIX}.scheduler=null"
    if section.sampler == "pbt" or section.pruner.type != "none":
        found = "the sweep decides about its trials itself"
        yield Problem(key, found, "sweep.pruner=none and another sampler than pbt", fix=off)
    if len(section.objectives) > 1 or not all(name.startswith("valid.") for name in section.objectives):
        found = f"a scheduler compares validations, not {', '.join(section.objectives)}"
        yield Problem(key, found, "one objective, valid.*", fix=f"sweep.objective=valid.loss, or {off}")
