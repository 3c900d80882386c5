"""What trials are judged by: names that a run reports, and the order that they put trials in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.sweep.ledger import Row

_MATRICES = ("confusion",)
"""Metrics that are no single number."""


def reported(tree: Mapping[str, Any], stages: Sequence[str]) -> list[str]:
    """The names that a run of a recipe reports.

    Args:
      tree: the resolved recipe.
      stages: that the run has; `evaluate` reports on its splits.
    """
    losses, metrics = tree.get("losses") or {}, tree.get("metrics") or {}
    parts = ["loss", *(losses if len(losses) > 1 else ())]
    scores = [name for name, value in metrics.items() if not (isinstance(value, Mapping) and _is_matrix(value))]
    names = [f"valid.{name}" for name in (*parts, *scores)]
    splits = (tree.get("run") or {}).get("evaluate_splits") or ("test",)
    if "evaluate" in stages:
        names += [f"{split}.{name}" for split in splits for name in (*parts, *scores)]
    return [*dict.fromkeys(names), "parameters"]


def check_objectives(section: Sweep, known: Sequence[str], origins: Mapping[str, str], evaluates: bool) -> None:
    """See that every objective is reported.

    Raises:
      ConfigError: one is not; the closest is named.
    """
    problems = []
    origin = origins.get("sweep.objective")
    for name in section.objectives:
        if name in known:
            continue
        near = closest(name, known) or known[0]
        found = f"nothing reports '{name}'"
        if not evaluates and name.partition(".")[0] != "valid":
            found += ", as the stage evaluate does not run"
        problems.append(Problem("sweep.objective", found, listed(known, 20), origin, f"sweep.objective={near}"))
    if problems:
        raise ConfigError(problems)


def ranked(rows: Sequence[Row], section: Sweep) -> list[Row]:
    """Trials with the best first objective first; those that have none come last, by number."""
    sign = 1.0 if section.directions[0] == "minimize" else -1.0

    def place(row: Row) -> tuple[bool, float, int]:
        done = row.status == "done" and row.objective is not None
        return not done, sign * row.objective[0] if done and row.objective else math.inf, row.number

    return sorted(rows, key=place)


def best(rows: Sequence[Row], section: Sweep) -> Row | None:
    """The trial with the best first objective; None where none is done."""
    first = next(iter(ranked(rows, section)), None)
    return first if first is not None and first.status == "done" and first.objective is not None else None


def _is_matrix(value: Mapping[str, Any]) -> bool:
    return value.get("type") in _MATRICES
