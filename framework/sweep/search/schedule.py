"""The course of a member's traced values, where population-based training changed them: `hyper.jsonl` in its folder.

    {"step": 4, "source": 3, "hyper": {"optimizer.learning_rate": 0.0021}}

From that step on the member trains with these values, and with the weights that member 3 had then. A line is written
before the engine goes on, so a checkpoint of step s holds what the lines up to step s say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framework.core.files import write_atomically

FILE = "hyper.jsonl"


def changes(folder: Path, step: int) -> list[dict[str, Any]]:
    """The changes of a member up to a step, in order."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [entry for entry in map(json.loads, lines) if entry["step"] <= step]


def taken_over(folder: Path, step: int) -> dict[str, float]:
    """The traced values that a member has at a step in place of those in its recipe."""
    values: dict[str, float] = {}
    for entry in changes(folder, step):
        values |= entry["hyper"]
    return values


def change(folder: Path, step: int, source: int, hyper: Mapping[str, float]) -> None:
    """Add a change; what a process wrote for this step or later ones, before it was killed, is undone."""
    entries = [*changes(folder, step - 1), {"step": step, "source": source, "hyper": dict(hyper)}]
    write_atomically(folder / FILE, "".join(json.dumps(entry) + "\n" for entry in entries))
