"""The space that a recipe and a command line declare: axes, zipped ones, conditions, and all mistakes in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from framework.config.compose.axes import Axis, axis_of
from framework.config.compose.jobs import Jobs
from framework.config.schema.root import Config
from framework.config.schema.sweep import Sweep
from framework.config.validation.shapes import NAME, all_keys
from framework.config.validation.wording import as_override
from framework.core.errors import ConfigError, Problem
from framework.core.keypaths import flatten
from framework.core.words import closest, listed
from framework.sweep.space import Dimension, Look, Space, in_order

_WORDS = ("values", "when")


def declared(
    jobs: Jobs, section: Sweep, tree: Mapping[str, Any], origins: Mapping[str, str], look: Look, groups: Sequence[str]
) -> Space:
    """The space of a sweep: the recipe's axes, then the command line's, which win where both name a key.

    Args:
      jobs: the command line's overrides.
      section: the recipe's own.
      tree: the recipe with one choice of values.
      origins: of the recipe's keys.
      look: see `Space`.
      groups: the config groups that the recipe chooses from.

    Raises:
      ConfigError: an axis cannot be read, zipped axes do not fit, a condition names an unknown key.
    """
    typed = [word for word in jobs.words if word.kind != "hydra"]
    taken = {word.key for word in typed}
    axes: list[Axis] = []
    problems: list[Problem] = []
    for key, value in _entries(section.space):
        if key not in taken:
            origin = _origin(key, origins)
            try:
                axes.append(_from_recipe(jobs, key, value, origin))
            except ConfigError as error:
                problems += error.problems
    for word in typed:
        if word.parsed.is_sweep_override() and word.key.split(".")[0].split("/")[0] != "sweep":
            try:
                axes.append(axis_of(word, jobs.loader))
            except ConfigError as error:
                problems += error.problems
    known = {axis.key for axis in axes} | {problem.key for problem in problems}
    dimensions: tuple[Dimension, ...] = ()
    if not problems:
        problems += _unknown_conditions(axes, tree, groups)
        dimensions = _dimensions(axes, section.zip, known, origins, problems)
    if problems:
        raise ConfigError(problems, jobs.recipe.subject)
    return Space(tuple(axes), dimensions, look)


def _entries(space: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The axes of the section by key; keys may be dotted or nested, and of two the later one stands."""
    found: dict[str, Any] = {}
    for name, value in space.items():
        key = f"{prefix}{name}"
        nested = isinstance(value, Mapping) and "values" not in value
        found.update(_entries(value, f"{key}.") if nested else {key: value})
    yield from found.items()


def _origin(key: str, origins: Mapping[str, str]) -> str:
    return next(
        (origins[name] for name in (f"sweep.space.{key}", "sweep.space", "sweep") if name in origins), "default"
    )


def _from_recipe(jobs: Jobs, key: str, value: Any, origin: str) -> Axis:
    place = f"sweep.space.{key}"
    when: dict[str, tuple[Any, ...]] = {}
    if isinstance(value, Mapping):
        unknown = [str(word) for word in value if word not in _WORDS]
        if unknown:
            found = f"an axis has no '{unknown[0]}'"
            raise ConfigError(Problem(place, found, listed(_WORDS), origin, f"~{place}.{unknown[0]}"))
        conditions = value.get("when") or {}
        if not isinstance(conditions, Mapping):
            raise ConfigError(
                Problem(f"{place}.when", f"found {as_override(conditions)}", "key: value", origin, _EXAMPLE)
            )
        when = {
            other: tuple(admitted) if isinstance(admitted, list | tuple) else (admitted,)
            for other, admitted in flatten(conditions).items()
        }
        value = value["values"]
    if isinstance(value, Mapping) or value in ((), []):
        raise ConfigError(Problem(place, "the axis has no values", "at least one", origin, f"{place}=[1,2]"))
    if isinstance(value, list | tuple):
        text = ",".join(as_override(item) for item in value)
    else:
        text = value if isinstance(value, str) else as_override(value)
    try:
        (word,) = jobs.read([f"{key}={text}"])
    except ConfigError as error:
        raise ConfigError(_placed(problem, place, origin) for problem in error.problems) from None
    return axis_of(word, jobs.loader, origin, when)


_EXAMPLE = "when: {optimizer.type: sgd}"


def _placed(problem: Problem, place: str, origin: str) -> Problem:
    return Problem(place, problem.found, problem.expected, origin, problem.fix)


def _dimensions(
    axes: Sequence[Axis],
    zipped: Sequence[Sequence[str]],
    known: set[str],
    origins: Mapping[str, str],
    problems: list[Problem],
) -> tuple[Dimension, ...]:
    by_key = {axis.key: axis for axis in axes}
    origin = next((origins[key] for key in ("sweep.zip", "sweep") if key in origins), None)
    partners: dict[str, tuple[str, ...]] = {}
    for group in zipped:
        for key in group:
            if key not in known:
                near = closest(key, known)
                fix = f"sweep.zip=[[{','.join(near or 'KEY' if other == key else other for other in group)}]]"
                problems.append(Problem("sweep.zip", f"'{key}' is no axis", listed(known), origin, fix))
            elif key in partners:
                found = f"'{key}' stands in two groups, or twice in one"
                problems.append(Problem("sweep.zip", found, "each key once", origin, "name it in one group"))
            partners[key] = tuple(group)
        _check_zip([by_key[key] for key in group if key in by_key], origin, problems)
    done: set[str] = set()
    dimensions: list[Dimension] = []
    for axis in axes:
        if axis.key not in done and not problems:
            group = partners.get(axis.key, (axis.key,))
            dimensions.append(Dimension(tuple(by_key[key] for key in group)))
            done |= set(group)
    return tuple(dimensions)


def _check_zip(group: Sequence[Axis], origin: str | None, problems: list[Problem]) -> None:
    endless = [axis for axis in group if axis.values is None]
    sizes = {axis.key: len(axis.values or ()) for axis in group}
    if endless:
        key = endless[0].key
        problems.append(Problem("sweep.zip", f"'{key}' is an interval", "axes with values", origin, f"{key}=1,2,3"))
    elif len(set(sizes.values())) > 1:
        found = "zipped axes have " + ", ".join(f"{size} values ({key})" for key, size in sizes.items())
        short = min(group, key=lambda axis: len(axis.values or ()))
        fix = f"{short.element}={','.join((*(short.values or ()), '...'))} with {max(sizes.values())} values"
        problems.append(Problem("sweep.zip", found, "as many of each", origin, fix))
    elif any(axis.when != group[0].when for axis in group):
        problems.append(Problem("sweep.zip", "zipped axes have different conditions", "the same `when`", origin))


def _unknown_conditions(axes: Sequence[Axis], tree: Mapping[str, Any], groups: Sequence[str]) -> Iterator[Problem]:
    schema = [key for key, _ in all_keys(Config)]
    patterns = [re.compile(re.escape(key).replace(re.escape(NAME), r"[^.]+")) for key in schema]
    known = {*flatten(tree), *(axis.key for axis in axes), *groups}
    for axis in axes:
        for key, _ in axis.when:
            if key not in known and not any(pattern.fullmatch(key) for pattern in patterns):
                near = closest(key, [*known, *(other for other in schema if NAME not in other)])
                place = f"sweep.space.{axis.key}.when"
                fix = f"when: {{{near}: ...}}" if near else "name a key of `fw show --defaults`"
                yield Problem(place, f"the recipe has no key '{key}'", near, axis.origin, fix)
    try:
        in_order(axes)
    except ValueError as error:
        found = f"conditions go round in a circle: {error}"
        yield Problem("sweep.space", found, "an axis that does not depend on itself", axes[0].origin)
