"""Sweeps made by hand, for what can be computed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from framework.sweep.ledger import Row
from framework.sweep.report.axes import axes_of
from framework.sweep.report.gathered import Gathered


def sweep_of(
    parameters: Sequence[Mapping[str, Any]],
    objectives: Sequence[tuple[float, ...] | None],
    directions: Sequence[str] = ("minimize",),
    space: Mapping[str, Any] | None = None,
) -> Gathered:
    """Trials with these values; one without an objective became non-finite."""
    rows = tuple(
        Row(number, (), dict(values), {}, "done" if objective else "non_finite", objective=objective, ended=number)
        for number, (values, objective) in enumerate(zip(parameters, objectives, strict=True))
    )
    names = [f"valid.{'abc'[index]}" for index in range(len(directions))]
    meta = {"recipe": "made", "objective": names, "direction": list(directions), "sampler": "grid"}
    statuses = tuple(row.status for row in rows)
    return Gathered(Path("made"), meta, rows, statuses, (None,) * len(rows), axes_of(parameters, space or {}))
