"""One member of each group evaluated abstractly before any begins: a mistake in the last costs no hour of the first.

    python -m framework.sweep.checking < MEMBERS

does it in a process of its own, for a driver that leaves JAX and its devices to its workers.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from framework.config.compose.text import ABSENT
from framework.config.validation.wording import as_override
from framework.core.errors import ConfigError, Problem
from framework.sweep.grouping import Group
from framework.sweep.members import Member

if TYPE_CHECKING:
    from framework.train.setup import Setup


def check_groups(groups: Sequence[Group], *, divided: bool) -> dict[int, Setup]:
    """The recipes of the groups' first members, by number, evaluated abstractly.

    Args:
      divided: members will be spread over the cores of a CPU, which must be said before JAX starts.

    Raises:
      ConfigError: with the problems of all groups.
    """
    from framework.parallel.cores import divide_cores

    if divided and any(group.members[0].loaded.config.parallel.type == "auto" for group in groups):
        divide_cores()
    setups, told = _checked([group.members[0] for group in groups])
    _refuse(groups, told)
    return setups


def check_elsewhere(groups: Sequence[Group]) -> None:
    """The same in a process of its own, on the CPU.

    Raises:
      ConfigError: with the problems of all groups.
    """
    members = pickle.dumps([group.members[0] for group in groups])
    done = subprocess.run(
        [sys.executable, "-m", "framework.sweep.checking"],
        input=members,
        capture_output=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    )
    if done.returncode:
        # It died, of which a recipe need not be the cause: the workers will tell.
        return
    answer = json.loads(done.stdout.splitlines()[-1])
    _refuse(groups, [[_problem(told) for told in problems] for problems in answer])


def _checked(members: Sequence[Member]) -> tuple[dict[int, Setup], list[Sequence[Problem]]]:
    from framework.train.setup import Setup

    setups, told = {}, []
    for member in members:
        setups[member.number] = setup = Setup(member.loaded)
        try:
            setup.check_once()
            told.append(())
        except ConfigError as error:
            told.append(error.problems)
    return setups, told


def _refuse(groups: Sequence[Group], told: Sequence[Sequence[Problem]]) -> None:
    """Raise what was found; a problem of some groups alone says of which."""
    having: dict[Problem, list[Group]] = {}
    for group, problems in zip(groups, told, strict=True):
        for problem in dict.fromkeys(problems):
            having.setdefault(problem, []).append(group)
    if having:
        problems = [problem if len(own) == len(groups) else _of(problem, own) for problem, own in having.items()]
        raise ConfigError(problems, groups[0].members[0].loaded.subject)


def _of(problem: Problem, groups: Sequence[Group]) -> Problem:
    words = _spelled(groups[0].structural)
    more = f" and in {len(groups) - 1} more groups" if len(groups) > 1 else ""
    return replace(problem, found=f"{problem.found} (with {words}{more})") if words else problem


def _spelled(structural: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={as_override(value)}" for key, value in structural.items() if value is not ABSENT)


def _problem(told: Mapping[str, Any]) -> Problem:
    return Problem(**{**told, "suspects": tuple(told["suspects"])})


def main() -> None:
    """Read members, and print the problems of each as JSON."""
    _, told = _checked(pickle.load(sys.stdin.buffer))
    print(json.dumps([[asdict(problem) for problem in problems] for problems in told]))


if __name__ == "__main__":
    main()
