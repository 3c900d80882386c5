"""All figures of a run directory, from the files that the run left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.report import figures
from framework.report.jsonl import read_records
from framework.report.tables import matrices


@dataclass(frozen=True)
class Drawn:
    """What `draw_run` did.

    Attributes:
      files: the PNGs it wrote.
      note: why there are none, and what to do about it; else None.
    """

    files: tuple[Path, ...] = ()
    note: str | None = None


def draw_run(run: Path, *, predictions: Mapping[str, tuple[Any, Any]] | None = None) -> Drawn:
    """Draws what a run directory gives into its folder `figures`.

    Learning curves come from `metrics.jsonl`, confusion matrices from `result.json` with the names of `data.json`.

    Args:
      run: the run directory.
      predictions: split -> (true values, predicted values) of a regression, each to be drawn against the other.
    """
    note = figures.missing()
    if note is not None:
        return Drawn(note=note)
    result, folder, files = read_json(run / "result.json"), run / "figures", []
    curves = folder / "learning_curves.png"
    if figures.draw_curves(read_records(run / "metrics.jsonl"), curves, best_step=result.get("best", {}).get("step")):
        files.append(curves)
    for split, name, matrix in matrices(result.get("metrics", {})):
        files.append(folder / f"{name}_{split}.png")
        figures.draw_confusion(matrix, files[-1], class_names_of(run), title=f"{split} {name}")
    for split, (true, predicted) in (predictions or {}).items():
        files.append(folder / f"predictions_{split}.png")
        figures.draw_predictions(true, predicted, files[-1], title=f"{split} predictions")
    return Drawn(tuple(files))


def class_names_of(run: Path) -> list[str] | None:
    """The names of the classes that a run's data has, or None."""
    names = read_json(run / "data.json").get("class_names")
    return [str(name) for name in names] if names else None


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file of a run; empty where the run has not come so far."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
