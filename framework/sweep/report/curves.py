"""The learning curves of all members: read, thinned, and summarised by group as medians with quartiles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from framework.report.jsonl import read_records

MOST_NUMBERS = 150_000
"""Of all curves together, so that a page stays below a few MB."""
MOST_POINTS, FEWEST_POINTS = 200, 12
MOST_METRICS = 8
_ABOUT = ("step", "epoch", "split", "nonfinite", "learning_rate")


@dataclass(frozen=True, eq=False)
class Curve:
    """A metric of one member over its steps; values that are no finite numbers are NaN."""

    steps: np.ndarray
    values: np.ndarray

    def thinned(self, most: int) -> Curve:
        """At most so many points, the first and the last among them."""
        if len(self.steps) <= most:
            return self
        kept = np.unique(np.linspace(0, len(self.steps) - 1, most).round().astype(int))
        return Curve(self.steps[kept], self.values[kept])


@dataclass(frozen=True, eq=False)
class Band:
    """Several members' curves as one: at each step the quartiles of those that got there."""

    steps: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray


Curves = dict[str, list[Curve | None]]
"""Metric, such as `valid.loss`, -> the curve of each member; None where it has none."""


def read_curves(paths: Sequence[Path | None], first: Sequence[str] = ()) -> Curves:
    """The curves of members, thinned so that all of them together stay small.

    Args:
      paths: the members' run directories.
      first: metrics that come first; then those of the validation.
    """
    members = [_curves_of(path) if path is not None else {} for path in paths]
    counts: dict[str, int] = {}
    for member in members:
        for name in member:
            counts[name] = counts.get(name, 0) + 1
    order = sorted(counts, key=lambda name: (name not in first, not name.startswith("valid."), not _is_loss(name)))
    names = order[:MOST_METRICS]
    lines = sum(counts[name] for name in names)
    most = max(FEWEST_POINTS, min(MOST_POINTS, MOST_NUMBERS // max(1, lines)))
    return {name: [member[name].thinned(most) if name in member else None for member in members] for name in names}


def band(curves: Sequence[Curve]) -> Band:
    """Medians and quartiles of curves, at all steps that one of them has."""
    steps = np.unique(np.concatenate([curve.steps for curve in curves]))
    if len(steps) > MOST_POINTS:
        steps = steps[np.unique(np.linspace(0, len(steps) - 1, MOST_POINTS).round().astype(int))]
    rows = np.full((len(curves), len(steps)), np.nan)
    for row, curve in zip(rows, curves, strict=True):
        known = np.isfinite(curve.values)
        if known.any():
            row[:] = np.interp(steps, curve.steps[known], curve.values[known], left=np.nan, right=np.nan)
    there = np.isfinite(rows).any(axis=0)
    steps, rows = steps[there], rows[:, there]
    if not len(steps):
        return Band(steps, steps.astype(float), steps.astype(float), steps.astype(float))
    low, median, high = np.nanpercentile(rows, (25, 50, 75), axis=0)
    return Band(steps, low, median, high)


def _curves_of(path: Path) -> dict[str, Curve]:
    points: dict[str, tuple[list[int], list[float]]] = {}
    for record in read_records(path / "metrics.jsonl"):
        for name, value in _numbers(record):
            steps, values = points.setdefault(name, ([], []))
            steps.append(record["step"])
            values.append(value)
    return {name: Curve(np.asarray(steps), np.asarray(values)) for name, (steps, values) in points.items()}


def _numbers(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in record.items():
        if name not in _ABOUT and isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{record['split']}.{name}", value if math.isfinite(value) else math.nan


def _is_loss(name: str) -> bool:
    return name.endswith(".loss")
