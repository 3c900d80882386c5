"""Tasks of Ray: on a cluster that runs, or on one of this machine alone."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.sweep.engines.settings import RaySettings, require
from framework.sweep.engines.work import Work

_ANSWER_S = 10.0


class RayEngine:
    """Starts each unit as a task. Ray ends the tasks of a driver that dies.

    Raises:
      ConfigError: the cluster cannot be reached, or has no room for a worker.
    """

    name = "ray"

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._ours = _connect(settings)
        try:
            ray = _ray()
            total = ray.cluster_resources()
            gpus = settings.num_gpus
            self._gpus = gpus if gpus is not None else float(total.get("GPU", 0) > 0)
            needs = {"CPU": settings.num_cpus, "GPU": self._gpus, **settings.resources}
            self.workers = min(settings.max_workers or 2**20, _room(needs, total))
        except BaseException:
            self.close()
            raise
        self.most = settings.max_members
        self.cores: int | None = settings.num_cpus
        self.lost_after_s = settings.lost_after_s
        self.grace_s = settings.grace_s

    def start(self, work: Work, place: int) -> RayJob:
        """Submit a unit; Ray starts it where there is room."""
        ray = _ray()
        settings = self._settings
        # A process keeps the memory of a GPU that it had, so it ends with its task; others serve the next unit too.
        options = {
            "num_cpus": settings.num_cpus,
            "num_gpus": self._gpus,
            "resources": dict(settings.resources),
            "runtime_env": dict(settings.runtime_env) or None,
            "max_retries": 0,
            "max_calls": 1 if self._gpus else 0,
            "name": f"fw sweep {work.mail.name}",
        }
        return RayJob(ray.remote(**options)(_run).remote(work))

    def close(self) -> None:
        """End the cluster, if it is ours."""
        if self._ours:
            ray = _ray()
            ray.shutdown()


class RayJob:
    """A task of Ray."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def ended(self) -> str | None:
        """What Ray says of a task that ended."""
        ray = _ray()
        ready, _ = ray.wait([self._reference], timeout=0)
        if not ready:
            return None
        try:
            return ray.get(self._reference) or ""
        except ray.exceptions.RayError as error:
            return str(error).strip().splitlines()[0]

    def kill(self, process: int | None) -> None:
        """End the task's process."""
        ray = _ray()
        ray.cancel(self._reference, force=True)


def check_ray(settings: RaySettings) -> None:
    """See that Ray is installed.

    Raises:
      ConfigError: it is not, or its scheduler of trials needs more.
    """
    require("ray", "ray", "hydra/launcher=ray")
    if settings.scheduler is not None:
        from framework.sweep.engines.tune import check_scheduler

        check_scheduler(settings.scheduler)


def _ray() -> Any:
    """Ray, loaded when it is needed; it need not be installed."""
    return import_module("ray")


def _run(work: Work) -> str | None:
    return work()


def _connect(settings: RaySettings) -> bool:
    """Connect to a cluster; whether it was started for this sweep."""
    address = settings.address or os.environ.get("RAY_ADDRESS")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address in (None, "local"):
        # A cluster of one machine listens to that machine alone; Ray reads this when it is first imported.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    ray = _ray()
    if ray.is_initialized():
        return False
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": False}
    with _own_signals(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Ray's own future
        if address in (None, "local"):
            cores = len(os.sched_getaffinity(0))
            workers = settings.max_workers or max(1, cores // settings.num_cpus)
            ray.init("local", num_cpus=workers * settings.num_cpus, **common)
            return True
        del common["include_dashboard"]
        try:
            _require_answer(str(address))
            ray.init(address, **common)
        except (OSError, ValueError, RuntimeError) as error:
            found = f"no cluster answers at '{address}': {str(error).splitlines()[0]}"
            key = "hydra.launcher.address" if settings.address else "RAY_ADDRESS"
            fix = "ray start --head, or hydra.launcher.address=local for a cluster on this machine"
            raise ConfigError(Problem(key, found, "the address of a Ray cluster that runs", fix=fix)) from None
    return True


def _require_answer(address: str) -> None:
    """Ray itself would try for ten minutes.

    Raises:
      OSError: nobody listens there.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()


def _room(needs: Mapping[str, float], total: Mapping[str, float]) -> int:
    for name, amount in needs.items():
        if amount > total.get(name, 0):
            found = f"a worker needs {amount:g} {name}, and the cluster has {total.get(name, 0):g}"
            key = {"CPU": "num_cpus", "GPU": "num_gpus"}.get(name, "resources")
            fix = f"hydra.launcher.{key}={total.get(name, 0):g}" if key != "resources" else None
            raise ConfigError(Problem(f"hydra.launcher.{key}", found, f"at most {total.get(name, 0):g}", fix=fix))
    return min(int(total[name] / amount) for name, amount in needs.items() if amount)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the sweep's own way with SIGTERM, which Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
