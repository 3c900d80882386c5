"""Variation of the values that a member of a population takes over."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from framework.config.schema.sweep import Population
from framework.sweep.samplers import drawn
from framework.sweep.space import Dimension, Space

KEPT = ("seed",)
"""What is a member's own."""


def explored(space: Space, settings: Population, present: Mapping[str, Any], random: Random) -> dict[str, float]:
    """The values of another member, varied: each is multiplied by a factor, or drawn anew.

    Of an axis with a list of values the neighbour above or below is taken. An interval is not left.

    Args:
      present: key -> value of the member that is copied.
    """
    found: dict[str, float] = {}
    for part in space.dimensions:
        if part.axes[0].key not in KEPT:
            anew = random.random() < settings.resample
            found |= _drawn(part, random) if anew else _varied(part, settings, present, random)
    return found


def _drawn(part: Dimension, random: Random) -> dict[str, float]:
    return {key: float(text) for key, text in drawn(part, random).items()}


def _varied(part: Dimension, settings: Population, present: Mapping[str, Any], random: Random) -> dict[str, float]:
    if part.size is None:
        (axis,) = part.axes
        return {axis.key: float(axis.spelled(present[axis.key] * random.choice(settings.factors)))}
    key = part.axes[0].key
    points = sorted(
        ({name: float(text) for name, text in part.point(index).items()} for index in range(part.size)),
        key=lambda point: point[key],
    )
    here = min(range(part.size), key=lambda index: abs(points[index][key] - present[key]))
    return points[min(max(here + random.choice((-1, 1)), 0), part.size - 1)]
