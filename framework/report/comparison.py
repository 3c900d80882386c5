"""Runs beside one another: the settings in which they differ, what they came to, and means over repetitions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.core.errors import Problem, RunError
from framework.core.keypaths import flatten, varying
from framework.report.jsonl import read_records

ABSENT = "-"
"""Stands for a setting that a run does not have."""

_NO_DIFFERENCE = ("run.", "report.", "sweep.", "hydra.")
_RECORD = ("step", "epoch", "split", "nonfinite", "learning_rate")


@dataclass(frozen=True)
class Run:
    """A run as its directory tells it.

    Attributes:
      name: the directory, as it was given.
      settings: dotted key -> value of the resolved recipe, what says where and how a run reports left out.
      metrics: `split.metric` -> number: of the splits that were evaluated, and of validation at the best checkpoint.
      step: how far it came; None where it has not finished training.
    """

    name: str
    settings: Mapping[str, Any]
    metrics: Mapping[str, float]
    step: int | None


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation, s² = sum (x - mean)² / (n - 1), of n numbers; NaN where n is 1."""

    mean: float
    deviation: float
    count: int


def read_run(path: Path, settings: Mapping[str, Any]) -> Run:
    """A run directory, with the sections of its `config.yaml`.

    Raises:
      RunError: its `result.json` or `metrics.jsonl` is damaged.
    """
    kept = {key: value for key, value in flatten(settings).items() if not key.startswith(_NO_DIFFERENCE)}
    file = path / "result.json"
    try:
        result = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        file = path / "metrics.jsonl"
        records = [record for record in read_records(file) if record["split"] == "valid"]
    except (ValueError, KeyError) as error:
        raise RunError(Problem(str(file), f"cannot be read: {error}", "the file as `fw` wrote it")) from None
    best = (result.get("best") or {}).get("step")
    validations = [record for record in records if record["step"] == best] or records
    told = {"valid": validations[-1]} if validations else {}
    metrics = {
        f"{split}.{name}": float(value)
        for split, values in {**told, **result.get("metrics", {})}.items()
        for name, value in values.items()
        if name not in _RECORD and isinstance(value, int | float)
    }
    return Run(str(path), kept, metrics, result.get("step"))


def differing(runs: Sequence[Run]) -> list[str]:
    """The keys whose values differ among runs, in the order of the recipe."""
    return varying([run.settings for run in runs])


def metric_names(runs: Iterable[Run]) -> list[str]:
    """Every metric that a run has, in the order found."""
    return list(dict.fromkeys(name for run in runs for name in run.metrics))


def repetitions(runs: Sequence[Run], over: Sequence[str]) -> list[list[Run]]:
    """The runs that differ in the keys `over` alone, each group in the order given."""
    keys = [key for key in differing(runs) if key not in over]
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(repr(run.settings.get(key, ABSENT)) for key in keys), []).append(run)
    return list(groups.values())


def spread(values: Iterable[float | None]) -> Spread | None:
    """Mean and standard deviation of the numbers that are there; None where there is none.

    A value that is not finite makes both not finite: a run that diverged is not left out.
    """
    numbers = [float(value) for value in values if value is not None]
    if not numbers:
        return None
    count = len(numbers)
    mean = math.fsum(numbers) / count if all(map(math.isfinite, numbers)) else math.nan
    if count == 1:
        return Spread(numbers[0], math.nan, 1)
    return Spread(mean, math.sqrt(math.fsum((value - mean) ** 2 for value in numbers) / (count - 1)), count)
