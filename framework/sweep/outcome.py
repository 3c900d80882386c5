"""What a member's run came to, read from its run directory: the same numbers whichever engine ran it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framework.config.schema.root import Config
from framework.report.jsonl import read_records
from framework.train.progress import improves

_ABOUT = ("step", "epoch", "split")


def final_metrics(config: Config, path: Path) -> dict[str, float]:
    """The final values of a run by dotted name.

    `valid.*` are those of the state that the run stands for: of the best validation where `run.evaluate_checkpoint` is
    `best` and checkpoints keep one, else of the last. What the stage `evaluate` found stands above them. `parameters`
    is how many there are.
    """
    found = values_of(standing(config, read_records(path / "metrics.jsonl")))
    result = _result(path)
    if "parameters" in result:
        found["parameters"] = float(result["parameters"])
    for split, values in result.get("metrics", {}).items():
        found |= {f"{split}.{name}": float(value) for name, value in values.items() if _is_number(value)}
    return found


def values_of(record: Mapping[str, Any] | None) -> dict[str, float]:
    """The values of a record by dotted name."""
    if record is None:
        return {}
    pairs = ((name, value) for name, value in record.items() if name not in _ABOUT)
    return {f"{record['split']}.{name}": float(value) for name, value in pairs if _is_number(value)}


def last(records: list[dict[str, Any]], split: str) -> dict[str, Any] | None:
    """The last record of a split."""
    return next((record for record in reversed(records) if record["split"] == split), None)


def standing(config: Config, records: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The validation record of the state that a run stands for."""
    monitor = config.checkpoint.monitor
    if config.run.evaluate_checkpoint != "best" or not config.checkpoint.enabled or monitor is None:
        return last(records, "valid")
    best: dict[str, Any] | None = None
    reference: float | None = None
    for record in records:
        value = values_of(record).get(monitor) if record["split"] == "valid" else None
        if value is not None and improves(value, reference, config.checkpoint.mode):
            best, reference = record, value
    return best or last(records, "valid")


def objectives(metrics: Mapping[str, float], names: tuple[str, ...]) -> tuple[float, ...] | None:
    """The value of each objective; None where one is missing or no finite number."""
    values = tuple(metrics.get(name, math.nan) for name in names)
    return values if all(map(math.isfinite, values)) else None


def reason(error: str) -> str:
    """The line of an error that says what happened: of a traceback the exception's first line."""
    lines = error.strip().splitlines()
    if not lines or not lines[0].startswith("Traceback"):
        return lines[0] if lines else ""
    said = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(:|$)", line)]
    name, _, text = (said[-1] if said else lines[-1]).partition(": ")
    return text or name


def _result(path: Path) -> dict[str, Any]:
    try:
        return json.loads((path / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
