"""Jobs of submitit: processes of this machine, or of SLURM, which a preempted job goes back to."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.sweep.engines.settings import SubmititSettings, require
from framework.sweep.engines.work import Work

FOLDER = "submitit"
_LEAVE_S = 10.0


class SubmititEngine:
    """Starts each unit as a job of its own.

    Args:
      folder: of the sweep; what submitit writes goes below it.

    Raises:
      ConfigError: SLURM's commands are not there, or submitit refuses a setting.
    """

    def __init__(self, settings: SubmititSettings, folder: Path) -> None:
        import submitit

        self._settings = settings
        self._jobs: list[SubmititJob] = []
        local = settings.cluster == "local"
        self.name = f"submitit_{settings.cluster}"
        self.workers = settings.max_workers or (_room(settings.cpus_per_task) if local else 16)
        self.most = settings.max_members
        self.cores: int | None = settings.cpus_per_task
        self.lost_after_s = settings.lost_after_s
        self.grace_s = settings.grace_s
        there = (folder / FOLDER).absolute()
        if local:
            self._executor: Any = submitit.LocalExecutor(there, max_num_timeout=settings.max_num_timeout)
        else:
            self._executor = submitit.AutoExecutor(
                there, cluster="slurm", slurm_max_num_timeout=settings.max_num_timeout
            )
        try:
            self._executor.update_parameters(**_parameters(settings))
        except (ValueError, TypeError, AssertionError, NameError) as error:
            found = f"submitit refuses: {str(error).splitlines()[0]}"
            raise ConfigError(Problem("hydra.launcher", found, "settings as submitit takes them")) from None

    def start(self, work: Work, place: int) -> SubmititJob:
        """Submit a unit. Each place of this machine has GPUs of its own."""
        if self._settings.cluster == "local":
            count = self._settings.gpus_per_node
            self._executor.update_parameters(visible_gpus=tuple(range(place * count, (place + 1) * count)))
        with _deaf():
            job = self._executor.submit(work)
        self._jobs.append(SubmititJob(job))
        return self._jobs[-1]

    def close(self) -> None:
        """Wait for the processes that kept the jobs of this machine."""
        for job in self._jobs:
            job.wait(_LEAVE_S)
        self._jobs.clear()


class SubmititJob:
    """A job of submitit."""

    def __init__(self, job: Any) -> None:
        self._job = job
        self._process: subprocess.Popen[bytes] | None = getattr(job, "_process", None)

    def ended(self) -> str | None:
        """What is known of a job that ended."""
        if not self._job.done():
            return None
        if not self._job.paths.result_pickle.exists():
            return f"its log is {self._job.paths.stderr}"
        with suppress(Exception):  # the log has it
            return self._job.result() or ""
        return f"its log is {self._job.paths.stderr}"

    def kill(self, process: int | None) -> None:
        """End the job. One of this machine hears no Ctrl-C, so its process is ended."""
        self._job.cancel(check=False)
        if self._process is not None and process is not None:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.wait(0.0)

    def wait(self, timeout_s: float) -> None:
        """Wait for the process of this machine, and end it if it takes longer."""
        if self._process is not None:
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def check_submitit(settings: SubmititSettings) -> None:
    """See that jobs can be submitted from here; nothing is written.

    Raises:
      ConfigError: submitit is not installed, or SLURM is not there.
    """
    require("submitit", "submitit", f"hydra/launcher=submitit_{settings.cluster}")
    if settings.cluster == "slurm":
        import shutil

        if shutil.which("srun") is None:
            found = "SLURM is not here: there is no `srun`"
            fix = "run it on a machine that submits to SLURM, or hydra/launcher=submitit_local"
            raise ConfigError(Problem("hydra/launcher", found, "a machine that submits to SLURM", fix=fix))


def _parameters(settings: SubmititSettings) -> dict[str, Any]:
    if settings.cluster == "local":
        names = ("timeout_min", "gpus_per_node", "setup", "signal_delay_s")
        return {name: getattr(settings, name) for name in names}
    shared = ("timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "name")
    found = {name: getattr(settings, name) for name in shared}
    names = ("partition", "account", "qos", "constraint", "exclude", "gres", "comment", "setup", "signal_delay_s")
    own = {f"slurm_{name}": getattr(settings, name) for name in (*names, "additional_parameters")}
    # A job is one task; a preempted one is queued again by submitit, which SLURM must allow.
    return {**found, **{name: value for name, value in own.items() if value}, "tasks_per_node": 1, "nodes": 1}


def _room(cores: int) -> int:
    return max(1, len(os.sched_getaffinity(0)) // cores)


@contextmanager
def _deaf() -> Iterator[None]:
    """Children do not hear Ctrl-C: it is the driver who asks them to save their members."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
