"""Means over seeds: what a setting comes to, whatever the random numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.report.comparison import Spread, spread
from framework.sweep.report.gathered import Gathered


@dataclass(frozen=True)
class Setting:
    """Trials that differ in seeds alone.

    Attributes:
      parameters: the swept keys but seeds, with the values that the trials share; None where one has no value.
      places: of all of them among the sweep's trials, by number.
      done: how many are done, which the spreads are of.
      spreads: metric -> its mean and sample standard deviation; the objectives come first.
    """

    parameters: Mapping[str, Any]
    places: tuple[int, ...]
    done: int
    spreads: Mapping[str, Spread]


def settings_of(sweep: Gathered) -> list[Setting]:
    """Every setting of a sweep, the best mean of the first objective first; those without one last."""
    first = sweep.objectives[0]
    sign = 1.0 if sweep.section.directions[0] == "minimize" else -1.0

    def rank(setting: Setting) -> float:
        found = setting.spreads.get(first)
        return math.inf if found is None or math.isnan(found.mean) else sign * found.mean

    return sorted((_setting(sweep, places) for places in sweep.repeats()), key=rank)


def are_repeated(settings: list[Setting]) -> bool:
    """Whether a setting has several trials, so that means say more than the trials do."""
    return any(len(setting.places) > 1 for setting in settings)


def _setting(sweep: Gathered, places: list[int]) -> Setting:
    parameters = sweep.rows[places[0]].parameters
    done = [row for row in (sweep.rows[place] for place in places) if row.status == "done"]
    told = [dict(zip(sweep.objectives, row.objective or (), strict=False)) | dict(row.metrics) for row in done]
    names = dict.fromkeys(name for each in told for name in each)
    found = {name: spread(each.get(name) for each in told) for name in names}
    return Setting(
        {axis.key: parameters.get(axis.key) for axis in sweep.axes if not axis.seed},
        tuple(places),
        len(done),
        {name: value for name, value in found.items() if value is not None},
    )
