"""Mistakes in the settings of a search, told before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framework.config.schema.sweep import Sweep
from framework.config.signature import traced_keys
from framework.core.errors import ConfigError, Problem
from framework.sweep.grouping import grouped
from framework.sweep.members import Member
from framework.sweep.space import Space


def check_search(section: Sweep, space: Space, origins: Mapping[str, str]) -> None:
    """See that the settings of pruning and of a population go together.

    Raises:
      ConfigError: with every problem.
    """
    problems = [*_of_comparing(section, origins)]
    if section.sampler == "pbt":
        problems += _of_population(section, space, origins)
    if problems:
        raise ConfigError(problems)


def check_members(section: Sweep, space: Space, members: Sequence[Member], launcher: str) -> None:
    """See that a population can be one: it runs together, and members differ in values that a running program takes.

    Args:
      launcher: the option of Hydra's group that was chosen.

    Raises:
      ConfigError: an axis is structural, or another value follows from an axis, or members would not run together.
    """
    if section.sampler != "pbt":
        return
    config, origins = members[0].loaded.config, members[0].loaded.origins
    apart = []
    if launcher == "basic":
        fix = "hydra/launcher=vectorized"
        apart.append(Problem("hydra/launcher", f"{launcher} runs members one by one", "one that runs groups", fix=fix))
    if config.parallel.type not in ("auto", "single"):
        found = f"{config.parallel.type} lays each member out by itself, and a population trains as one program"
        origin = origins.get("parallel.type")
        apart.append(Problem("parallel", found, "auto or single", origin, "parallel=auto"))
    if config.data.resident is False:
        found = "a population trains as one program, for which the data must lie on the device"
        apart.append(Problem("data.resident", found, "auto", origins.get("data.resident"), "data.resident=auto"))
    if apart:
        raise ConfigError(apart, members[0].loaded.subject)
    groups = grouped(members)
    traced = frozenset.intersection(*(traced_keys(member.loaded.config) for member in members))
    keys = {axis.key for axis in space.axes}
    problems = []
    for axis in space.axes:
        if axis.key not in traced or any(axis.key in group.structural for group in groups):
            found = "a program is compiled for each value, and a member of a population cannot change it"
            fix = f"{axis.element}={axis.values[0] if axis.values else axis.spelled(axis.low)}, or sweep.sampler=tpe"
            problems.append(Problem(axis.key, found, "traced keys (`--plan` tells which)", axis.origin, fix))
    for key in dict.fromkeys(key for group in groups for key in group.traced):
        if key not in keys and key not in ("seed", "name"):
            value = members[0].loaded
            found = "follows from an axis, and would stay as it was when a member takes over another value"
            fix = f"{key}={_at(value.tree, key)}"
            problems.append(Problem(key, found, "a value of its own", value.origins.get(key), fix))
    if problems:
        raise ConfigError(problems, members[0].loaded.subject)


def _of_comparing(section: Sweep, origins: Mapping[str, str]) -> Iterator[Problem]:
    who = "pbt" if section.sampler == "pbt" else section.pruner.type
    if who == "none":
        return
    key = "sweep.sampler" if who == "pbt" else "sweep.pruner"
    off = "sweep.sampler=tpe" if who == "pbt" else "sweep.pruner=none"
    origin = origins.get("sweep.objective") or origins.get(key) or origins.get(f"{key}.type")
    name = next(iter(section.objectives))
    if len(section.objectives) > 1:
        found = f"{who} compares by one objective, not by {len(section.objectives)}"
        yield Problem("sweep.objective", found, "one", origin, f"sweep.objective={name}, or {off}")
    elif not name.startswith("valid."):
        found = f"{who} compares validations, and none reports '{name}'"
        fix = f"sweep.objective=valid.{name.rpartition('.')[2] if '.' in name else 'loss'}, or {off}"
        yield Problem("sweep.objective", found, "valid.*", origin, fix)


def _of_population(section: Sweep, space: Space, origins: Mapping[str, str]) -> Iterator[Problem]:
    origin = origins.get("sweep.sampler")
    if section.pruner.type != "none":
        found = "members of a population are replaced, not ended"
        yield Problem("sweep.pruner", found, "none", origins.get("sweep.pruner", origin), "sweep.pruner=none")
    if section.batch is not None:
        found = f"a population of {section.trials} members trains together"
        yield Problem("sweep.batch", found, "null", origins.get("sweep.batch"), "sweep.batch=null")
    if section.workers > 1:
        found = "a population trains in one process"
        yield Problem("sweep.workers", found, "1", origins.get("sweep.workers"), "sweep.workers=1")
    if (section.trials or 0) < 2:
        yield Problem("sweep.trials", "a population has at least two members", "2 or more", origin, "sweep.trials=16")
    for axis in space.axes:
        if axis.when:
            found = "the axis exists for some members only, and values of a population are exchanged"
            yield Problem(f"sweep.space.{axis.key}", found, "no `when`", axis.origin, "sweep.sampler=tpe")


def _at(tree: Mapping[str, object], key: str) -> object:
    value: object = tree
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
