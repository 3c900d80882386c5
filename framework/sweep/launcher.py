"""Hydra's plugins of ours: the launcher that runs jobs of one program together, the sweeper that asks our samplers.

Hydra instantiates plugins by name, and only such names as begin with `hydra_plugins.` and can be imported. Ours lie in
no such package, so `register` makes a module of that name that holds them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from framework.config.compose.sweeping import StoppedError, restore
from framework.core.errors import FrameworkError, Interrupted
from framework.sweep.ledger import Row
from framework.sweep.prepared import Request, prepare
from framework.sweep.running import Elsewhere
from framework.sweep.session import Session

_PACKAGE = "hydra_plugins"
MODULE = "hydra_plugins.framework"


class TrialError(FrameworkError):
    """A trial has no objective: it failed, or its loss is no number. Tells Hydra's sweepers so."""


@dataclass(frozen=True)
class Task:
    """What Hydra calls for a job, where its launcher calls anything: in this process or in another one.

    Attributes:
      session: of this process; another one makes its own.
    """

    request: Request
    folder: Path
    session: Session | None = field(default=None, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"request": self.request, "folder": self.folder, "session": None}

    def __call__(self, _: Any) -> Any:
        """Run the job that Hydra has set up, and give its objective."""
        config: Any = HydraConfig.instance().cfg
        session = self.session or Session(prepare(self.request), self.folder, config)
        overrides = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
        assert isinstance(overrides, list)
        try:
            (row,) = session.run([[str(text) for text in overrides]], together=False)
        except Interrupted as stopped:
            raise StoppedError(stopped) from None
        return value_of(row)


def value_of(row: Row) -> Any:
    """What a sweeper of Hydra's is told of a trial.

    Raises:
      TrialError: it has no objective.
    """
    if row.objective is None:
        raise TrialError(f"trial {row.number}: {row.status}{': ' + row.error if row.error else ''}")
    return row.objective[0] if len(row.objective) == 1 else row.objective


class VectorizedLauncher(Launcher):
    """Runs the jobs of one compile signature as one program."""

    __module__ = MODULE

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep the task, which holds the sweep's session."""
        self.task: Any = task_function

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run jobs, and give the objective of each."""
        return self.launched(job_overrides)

    def launched(
        self, job_overrides: Sequence[Sequence[str]], elsewhere: Elsewhere | None = None
    ) -> Sequence[JobReturn]:
        """Run jobs here or elsewhere, and give the objective of each."""
        session: Session = self.task.session
        restore(session.folder / "multirun.yaml")
        rows = session.run(job_overrides, together=True, elsewhere=elsewhere)
        return [_returned(row, overrides) for row, overrides in zip(rows, job_overrides, strict=True)]

    def close(self) -> None:
        """Nothing is held."""


class SamplerSweeper(Sweeper):
    """Lets `sweep.sampler` propose jobs."""

    __module__ = MODULE

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher."""
        self.hydra_context = hydra_context
        self.config = config
        self.task: Any = task_function
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Search; what is found is in the ledger."""
        session: Session = self.task.session
        OmegaConf.save(self.config, session.folder / "multirun.yaml")
        restore(session.folder / "multirun.yaml")
        assert self.launcher is not None
        try:
            session.search(self.launcher.launch)
        finally:
            if isinstance(self.launcher, VectorizedLauncher):
                self.launcher.close()


def register() -> None:
    """Make the plugins known to Hydra in this process. May be called again."""
    plugins = Plugins.instance()
    if MODULE in sys.modules:
        return
    try:
        package = importlib.import_module(_PACKAGE)
    except ModuleNotFoundError:  # it exists only where some plugin is installed
        package = sys.modules[_PACKAGE] = ModuleType(_PACKAGE)
        package.__path__ = []
    module = ModuleType(MODULE)
    package.framework = module  # type: ignore[attr-defined]
    sys.modules[MODULE] = module
    from framework.sweep.engines.launchers import RayLauncher, SubmititLauncher

    for plugin in (VectorizedLauncher, RayLauncher, SubmititLauncher, SamplerSweeper):
        setattr(module, plugin.__name__, plugin)
        plugins.register(plugin)


def task_of(request: Request, folder: Path, session: Session) -> Task:
    """The task of a sweep in this process."""
    return replace(Task(request, folder), session=session)


def _returned(row: Row, overrides: Sequence[str]) -> JobReturn:
    result = JobReturn(overrides=list(overrides))
    try:
        result.return_value = value_of(row)
        result.status = JobStatus.COMPLETED
    except TrialError as error:
        result.return_value = error
        result.status = JobStatus.FAILED
    return result
