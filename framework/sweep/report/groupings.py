"""Ways to see members as groups: by all swept values but the seeds, by one key, or all as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from framework.config.validation.wording import as_override
from framework.report.words import number
from framework.sweep.report.axes import Axis
from framework.sweep.report.gathered import Gathered

MOST_VALUES = 8
_BINS = 4


@dataclass(frozen=True)
class Grouping:
    """Members in groups.

    Attributes:
      name: what they are grouped by.
      groups: label -> places of the members, those with the best objective first where that is known.
    """

    name: str
    groups: tuple[tuple[str, tuple[int, ...]], ...]


def groupings(sweep: Gathered, important: Sequence[str] = ()) -> list[Grouping]:
    """The groupings that tell something, the most telling first.

    Args:
      important: swept keys by their importance; of those the first is shown first where no two trials repeat each
        other.
    """
    axes = [axis for axis in sweep.axes if not axis.seed and len(_values(sweep, axis)) > 1]
    axes.sort(key=lambda axis: important.index(axis.key) if axis.key in important else len(important))
    repeats = [group for group in sweep.repeats() if group]
    combined = _sorted(sweep, [(_label(sweep, group[0]), group) for group in repeats])
    found = [Grouping(axis.label, _sorted(sweep, _by_key(sweep, axis))) for axis in axes]
    if len(axes) > 1 or not axes:
        seeds = any(axis.seed for axis in sweep.axes)
        whole = Grouping("all swept keys" + (" but the seed" if seeds else ""), combined)
        found.insert(0 if any(len(group) > 1 for group in repeats) else len(found), whole)
    if len(repeats) > 1:
        found.append(Grouping("nothing: all trials as one", (("all trials", tuple(range(len(sweep.rows)))),)))
    return found


def _values(sweep: Gathered, axis: Axis) -> dict[str, Any]:
    values = [row.parameters.get(axis.key) for row in sweep.rows]
    return {as_override(value): value for value in values if value is not None}


def _label(sweep: Gathered, index: int) -> str:
    parameters = sweep.rows[index].parameters
    parts = [
        f"{axis.label}={_short(parameters[axis.key])}"
        for axis in sweep.axes
        if not axis.seed and parameters.get(axis.key) is not None
    ]
    return " ".join(parts) or "all trials"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else as_override(value)


def _by_key(sweep: Gathered, axis: Axis) -> list[tuple[str, list[int]]]:
    values = _values(sweep, axis)
    if axis.kind == "words" or len(values) <= MOST_VALUES:
        groups: dict[str, list[int]] = {}
        for index, row in enumerate(sweep.rows):
            value = row.parameters.get(axis.key)
            name = "unset" if value is None else _short(value)
            groups.setdefault(f"{axis.label}={name}", []).append(index)
        return list(groups.items())
    return _binned(sweep, axis)


def _binned(sweep: Gathered, axis: Axis) -> list[tuple[str, list[int]]]:
    """Values of which there are many, in bins that hold equally many trials."""
    numbers = np.array([axis.number(row.parameters.get(axis.key)) for row in sweep.rows])
    edges = np.nanpercentile(numbers, np.linspace(0, 100, _BINS + 1))
    shown = 10**edges if axis.kind == "log" else edges
    groups: list[tuple[str, list[int]]] = []
    for index in range(_BINS):
        above = numbers >= edges[index]
        below = numbers <= edges[index + 1] if index == _BINS - 1 else numbers < edges[index + 1]
        label = f"{axis.label} {number(float(shown[index]))} to {number(float(shown[index + 1]))}"
        groups.append((label, np.flatnonzero(above & below).tolist()))
    return [(label, members) for label, members in groups if members]


def _sorted(sweep: Gathered, groups: Sequence[tuple[str, Sequence[int]]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """By the median of the first objective, the best first."""
    sign = 1.0 if sweep.section.directions[0] == "minimize" else -1.0

    def place(group: tuple[str, Sequence[int]]) -> float:
        rows = [sweep.rows[index] for index in group[1]]
        values = [sign * row.objective[0] for row in rows if row.objective is not None]
        return float(np.median(values)) if values else float("inf")

    return tuple((label, tuple(members)) for label, members in sorted(groups, key=place))
