"""Which process of a job this one is, and where the processes meet: from the recipe, the launcher or the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.core.addresses import host_and_port
from framework.core.errors import ConfigError, Problem
from framework.core.words import listed

KEY = "parallel.hosts"
LAUNCHED = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
"""What `fw launch --local` and the files of `fw launch --k8s` set."""

_SLURM = ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_NTASKS", "SLURM_PROCID")
_BY_HAND = "'parallel.hosts={coordinator: node1:5000, processes: 2, process: 0}', and process: 1 on the other"


@dataclass(frozen=True)
class Place:
    """One process among those of a job.

    Attributes:
      host: of process 0, as all reach it.
      port: where process 0 waits for the others.
      processes: how many there are.
      process: the number of this one, from 0.
      devices: the local numbers of the devices that are its own; None: every one that it sees.
    """

    host: str
    port: int
    processes: int
    process: int
    devices: tuple[int, ...] | None = None


def find(hosts: Any, environment: Mapping[str, str]) -> Place | None:
    """The place of this process.

    Args:
      hosts: `parallel.hosts`: `auto`, or a section with `coordinator`, `processes` and `process`.
      environment: of the process.

    Returns:
      None where neither the recipe nor a variable that we know tells, so that only JAX's own detection is left.

    Raises:
      ConfigError: some of the variables of a launcher are set and others are not, or what they say is impossible.
    """
    if hosts != "auto":
        address = host_and_port(hosts.coordinator)
        assert address is not None, "the schema has checked it"
        return Place(*address, hosts.processes, hosts.process)
    if any(name in environment for name in LAUNCHED):
        return _launched(environment)
    if "SLURM_JOB_ID" in environment:
        return _of_slurm(environment)
    return None


def nothing_found() -> ConfigError:
    """What to tell where `parallel.hosts=auto` finds nothing."""
    return ConfigError(
        Problem(
            key=KEY,
            found="auto finds no coordinator: neither the variables "
            f"{listed(LAUNCHED)}, nor a SLURM step ({listed(_SLURM)}), nor another cluster that JAX knows",
            expected="one of them in the environment of each process, or the coordinator in the recipe",
            fix=f"fw launch --local 2 RECIPE, or on each host {_BY_HAND}; parallel.hosts=null runs one process alone",
        )
    )


def _launched(environment: Mapping[str, str]) -> Place:
    missing = [name for name in LAUNCHED if name not in environment]
    if missing:
        there = [f"{name}={environment[name]}" for name in LAUNCHED if name in environment]
        raise ConfigError(
            Problem(
                key=KEY,
                found=f"auto finds {listed(there)}, but not {listed(missing)}",
                expected=f"all of {listed(LAUNCHED)}, or none",
                fix=f"export {' '.join(f'{name}={_EXAMPLES[name]}' for name in missing)}, or unset the others",
            )
        )
    problems = []
    address = host_and_port(environment[LAUNCHED[0]])
    if address is None:
        problems.append(_bad(LAUNCHED[0], environment, "ADDRESS:PORT of process 0, a port from 1 to 65535"))
    processes, process = (_count(environment[name]) for name in LAUNCHED[1:])
    if not processes:
        problems.append(_bad(LAUNCHED[1], environment, "a whole number > 0"))
    if process is None:
        problems.append(_bad(LAUNCHED[2], environment, "a whole number, counted from 0"))
    elif processes and process >= processes:
        problems.append(_bad(LAUNCHED[2], environment, f"0 to {processes - 1}: there are {processes} processes"))
    if problems or address is None or processes is None or process is None:
        raise ConfigError(problems)
    return Place(*address, processes, process)


_EXAMPLES = {LAUNCHED[0]: "node1:5000", LAUNCHED[1]: "2", LAUNCHED[2]: "0"}


def _bad(name: str, environment: Mapping[str, str], expected: str) -> Problem:
    return Problem(KEY, f"auto finds {name}={environment[name]}", expected, fix=f"export {name}={_EXAMPLES[name]}")


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def _of_slurm(environment: Mapping[str, str]) -> Place:
    missing = [name for name in _SLURM if name not in environment]
    if missing:
        raise ConfigError(
            Problem(
                key=KEY,
                found=f"auto finds SLURM job {environment['SLURM_JOB_ID']}, but not {listed(missing)}: "
                "this process is not one of a step's tasks",
                expected="the command started by srun, which starts every task and numbers it",
                fix="srun fw ..., or fw launch --slurm RECIPE, which writes the job file",
            )
        )
    job, nodes, processes, process = (environment[name] for name in _SLURM)
    # The port is drawn from the job's number, so that two jobs on one node do not meet each other.
    port = int(environment.get("JAX_COORDINATOR_PORT") or 61440 + int(job) % 4096)
    local, shared = environment.get("SLURM_LOCALID"), environment.get("SLURM_STEP_TASKS_PER_NODE", "")
    alone = all(part.partition("(")[0] == "1" for part in shared.split(",")) if shared else True
    # Tasks that share a node take one device each; a task that has its node to itself takes all of them.
    devices = None if alone or local is None else (int(local),)
    return Place(first_node(nodes), port, int(processes), int(process), devices)


def first_node(nodes: str) -> str:
    """The first name of a list as SLURM writes it: `node1`, `node1,node2`, `node[007-015],other`, `n[1,5]-ib`."""
    prefix, bracket, rest = nodes.partition("[")
    if not bracket or "," in prefix:
        return nodes.partition(",")[0]
    inner, _, behind = rest.partition("]")
    return prefix + inner.replace("-", ",").partition(",")[0] + behind.partition(",")[0]
