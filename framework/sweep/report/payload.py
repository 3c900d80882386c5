"""What the page is drawn from, as JSON: short enough for hundreds of members."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from framework.config.validation.wording import as_override
from framework.report.words import duration
from framework.sweep.ledger import Row
from framework.sweep.owner import Owner
from framework.sweep.report.axes import Axis
from framework.sweep.report.curves import Band, Curves, band
from framework.sweep.report.gathered import STATUSES, Gathered
from framework.sweep.report.groupings import Grouping
from framework.sweep.report.importance import METHOD, Importance
from framework.sweep.report.means import are_repeated, settings_of
from framework.sweep.report.pareto import front

BANDS = 8
"""Of a grouping with more groups, only so many, the best, are summarised and coloured."""


def payload(
    sweep: Gathered, curves: Curves, grouped: Sequence[Grouping], weights: Importance, page: Path
) -> dict[str, Any]:
    """Everything that the page shows.

    Args:
      page: the file that it will be, which its links start from.
    """
    metrics = list(dict.fromkeys(name for row in sweep.rows for name in row.metrics if name not in sweep.objectives))
    many = len(sweep.objectives) > 1
    best = sweep.best
    return {
        "recipe": sweep.recipe,
        "facts": _facts(sweep),
        "counts": sweep.counts,
        "statuses": list(STATUSES),
        "axes": [_axis(axis) for axis in sweep.axes],
        "objectives": [
            {"name": name, "minimize": direction == "minimize"}
            for name, direction in zip(sweep.objectives, sweep.section.directions, strict=True)
        ],
        "metrics": metrics,
        "trials": [_trial(sweep, index, metrics, page) for index in range(len(sweep.rows))],
        "repeats": sweep.repeats(),
        "means": _means(sweep, metrics),
        "best": None if best is None else {"trial": _place(sweep, best), "command": sweep.command(best)},
        "front": front(sweep) if many else [],
        "importance": {
            "shares": [[key, _rounded(share)] for key, share in weights.shares.items()],
            "score": _rounded(weights.score),
            "trials": weights.trials,
            "problem": weights.problem,
            "method": METHOD,
        },
        "curves": _Steps().curves(curves, grouped),
    }


def _facts(sweep: Gathered) -> list[list[str]]:
    """What stands at the head of the page: label and text."""
    rows = sweep.rows
    seconds = sum(row.seconds or 0.0 for row in rows)
    starts = [row.started for row in rows if row.started is not None]
    ends = [row.ended for row in rows if row.ended is not None]
    directions = (f"{name} ({word})" for name, word in zip(sweep.objectives, sweep.section.directions, strict=True))
    hosts = list(dict.fromkeys(host for row in rows if (host := Owner.parse(row.owner).host)))
    facts = [
        ["recipe", sweep.recipe],
        ["objective", ", ".join(directions)],
        ["proposed by", str(sweep.meta.get("sampler", ""))],
        ["folder", str(sweep.folder)],
        ["where", ", ".join(hosts) or platform.node()],
        ["time in trials", f"{duration(seconds)}" if seconds >= 1 else f"{seconds:.1f} s"],
    ]
    if starts and ends:
        facts.append(["from first to last", f"{duration(max(ends) - min(starts))}, begun {_moment(min(starts))}"])
    facts.append(["report of", _moment(datetime.now().timestamp())])
    return facts


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def _axis(axis: Axis) -> dict[str, Any]:
    return {"key": axis.key, "label": axis.label, "kind": axis.kind, "seed": axis.seed, "words": list(axis.words)}


def _trial(sweep: Gathered, index: int, metrics: Sequence[str], page: Path) -> dict[str, Any]:
    row, path = sweep.rows[index], sweep.paths[index]
    return {
        "number": row.number,
        "status": sweep.statuses[index],
        "at": [_rounded(axis.number(row.parameters.get(axis.key)), 8) for axis in sweep.axes],
        "values": [_text(row.parameters.get(axis.key)) for axis in sweep.axes],
        "objective": None if row.objective is None else [_rounded(value, 8) for value in row.objective],
        "metrics": [_rounded(row.metrics.get(name)) for name in metrics],
        "seconds": _rounded(row.seconds),
        "attempts": row.attempts,
        "ended": row.ended,
        "error": row.error,
        "link": _link(path, page) if path is not None else None,
    }


def _means(sweep: Gathered, metrics: Sequence[str]) -> dict[str, Any]:
    """Settings with their means over seeds, the best first; none where no setting was tried twice."""
    settings = settings_of(sweep)
    names = [*sweep.objectives, *metrics]
    shown = settings if are_repeated(settings) else []
    return {
        "names": names,
        "settings": [
            {
                "trials": list(setting.places),
                "done": setting.done,
                "spreads": [
                    [_rounded(found.mean, 8), _rounded(found.deviation)] if found is not None else None
                    for found in map(setting.spreads.get, names)
                ],
            }
            for setting in shown
        ],
    }


def _text(value: Any) -> str | None:
    return None if value is None else as_override(value)


def _link(path: Path, page: Path) -> str:
    """From the page to a run directory; relative, so that the folder of the sweep may be moved."""
    from urllib.parse import quote

    return quote(Path(os.path.relpath(path.absolute(), page.absolute().parent)).as_posix()) + "/"


def _place(sweep: Gathered, row: Row) -> int:
    return next(index for index, other in enumerate(sweep.rows) if other.number == row.number)


class _Steps:
    """Curves as JSON, in which those of the same steps share them."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._lists: list[list[int]] = []

    def curves(self, curves: Curves, grouped: Sequence[Grouping]) -> dict[str, Any]:
        metrics = [
            {
                "name": name,
                "lines": [
                    None if curve is None else [self._place(curve.steps), _list(curve.values)] for curve in members
                ],
                "bands": [
                    [self._band(members, places) for _, places in grouping.groups[:BANDS]] for grouping in grouped
                ],
            }
            for name, members in curves.items()
        ]
        groups = [
            {"name": grouping.name, "groups": [[label, list(places)] for label, places in grouping.groups]}
            for grouping in grouped
        ]
        return {"metrics": metrics, "groupings": groups, "steps": self._lists}

    def _band(self, members: Sequence[Any], places: Sequence[int]) -> list[Any] | None:
        there = [members[place] for place in places if members[place] is not None]
        if not there:
            return None
        found: Band = band(there)
        return [self._place(found.steps), _list(found.low), _list(found.median), _list(found.high)]

    def _place(self, steps: np.ndarray) -> int:
        key = np.asarray(steps, np.int64).tobytes()
        if key not in self._places:
            self._places[key] = len(self._lists)
            self._lists.append([int(step) for step in steps])
        return self._places[key]


def _list(values: np.ndarray) -> list[float | None]:
    return [_rounded(float(value), 4) for value in values]


def _rounded(value: float | None, digits: int = 5) -> float | None:
    """Fewer digits, and null for what JSON cannot hold."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")
