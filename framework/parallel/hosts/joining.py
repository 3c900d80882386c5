"""From `parallel.hosts` to a team: the processes meet, and `jax.distributed` joins their devices."""

from __future__ import annotations

import atexit
import os
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from framework.core.errors import ConfigError, Problem, RunError
from framework.parallel.hosts.place import KEY, Place, find, nothing_found
from framework.parallel.hosts.roll_call import free_port, meet
from framework.parallel.hosts.team import Alone, Team
from framework.parallel.hosts.tunnel import open_tunnel

_LONGEST_ADDRESS = 64
_joined: Team | None = None


def company() -> Alone | Team:
    """The processes that this one has joined."""
    return _joined or Alone()


def join(parallel: Any, agreed: Mapping[str, str]) -> Alone | Team:
    """Join the other processes of the job, once in the life of a process, before anything asks JAX for devices.

    Args:
      parallel: the section; only where its `hosts` is set there is anybody to join.
      agreed: what must be the same in every process: setting -> its value as text.

    Raises:
      ConfigError: there is no coordinator, what tells of it is wrong, or not all processes come.
      RunError: the job has ended before.
    """
    global _joined
    if _joined is not None:
        if _joined.failed is not None:
            raise RunError("the processes of this job have parted after an error\n  fix:       start the job again")
        return _joined
    hosts = getattr(parallel, "hosts", None)
    if hosts is None:
        return Alone()
    found = find(hosts, os.environ)
    place = found or _by_jax(parallel.heartbeat_s, parallel.join_s)
    if place.processes == 1:
        return Alone()
    met = meet(place, {"jax": jax.__version__, **agreed}, parallel.join_s)
    team = Team(place.process, place.processes, met.lines, parallel.heartbeat_s)
    _joined = team
    atexit.register(_part, team)
    with team.at_work():
        if found is not None:
            _start(place, met.port, parallel.heartbeat_s, parallel.join_s)
        _require_even(team)
    return team


def _start(place: Place, port: int, heartbeat_s: float, join_s: float) -> None:
    """Start `jax.distributed`, of which each process but the first sees a tunnel of its own."""
    port = port if place.process == 0 else open_tunnel(place.host, port)
    _initialize(
        heartbeat_s,
        join_s,
        coordinator_address=f"127.0.0.1:{port}",
        num_processes=place.processes,
        process_id=place.process,
        local_device_ids=place.devices,
        cluster_detection_method="deactivate",
    )


def _by_jax(heartbeat_s: float, join_s: float) -> Place:
    """The place that JAX's own detection of clusters gives (TPU pods, Open MPI ...), once JAX has joined there.

    Raises:
      ConfigError: JAX finds no cluster either, or cannot join it.
    """
    try:
        _initialize(heartbeat_s, join_s)
    except ValueError as error:
        if "should be defined" not in str(error) and "must be defined" not in str(error):
            raise
        raise nothing_found() from error
    here = f"{socket.gethostbyname(socket.gethostname())}:{free_port()}"
    text = np.frombuffer(here.encode().ljust(_LONGEST_ADDRESS), np.uint8)
    told = np.asarray(multihost_utils.broadcast_one_to_all(text)).tobytes().decode().strip()
    host, _, port = told.rpartition(":")
    return Place(host, int(port), jax.process_count(), jax.process_index())


def _initialize(heartbeat_s: float, join_s: float, **where: Any) -> None:
    """`jax.distributed.initialize`, with a heartbeat that is slower than ours: JAX ends a process without words."""
    config: Any = jax.config
    if config.jax_cpu_collectives_implementation is None:
        config.update("jax_cpu_collectives_implementation", "gloo")
    # JAX's preemption service would take SIGTERM from us, which saves the run.
    config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            **where,
            initialization_timeout=max(1, int(join_s)),
            heartbeat_timeout_seconds=max(30, int(2 * heartbeat_s)),
            shutdown_timeout_seconds=max(30, int(2 * heartbeat_s)),
        )
    except RuntimeError as error:
        if "must be called before" not in str(error):
            raise ConfigError(
                Problem(
                    key=KEY,
                    found=f"JAX cannot join the processes: {error}",
                    expected="a cluster as jax.distributed.initialize knows it",
                    fix="fw launch --local 2 RECIPE, or the coordinator in the recipe: parallel.hosts.coordinator=...",
                )
            ) from error
        raise ConfigError(
            Problem(
                key=KEY,
                found="JAX was used in this process before it joined the others",
                expected="training first: a process that has used its own devices cannot share them any more",
                fix="train before anything that computes, or fw train in a process of its own",
            )
        ) from error


def _require_even(team: Team) -> None:
    owners = Counter(device.process_index for device in jax.devices())
    counts = [owners[process] for process in range(team.count)]
    if len(set(counts)) > 1:
        raise ConfigError(
            Problem(
                key=KEY,
                found=f"the processes have {', '.join(map(str, counts))} devices",
                expected="the same number in each",
                fix="the same CUDA_VISIBLE_DEVICES count, or XLA_FLAGS on the CPU, in every process",
            )
        )


def _part(team: Team) -> None:
    """At the end of the process: leave together, or at once where there was an error."""
    if team.part():
        jax.distributed.shutdown()
        team.close()
        return
    # JAX's own shutdown would wait for processes that are no longer there.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(team.failed or 1)
