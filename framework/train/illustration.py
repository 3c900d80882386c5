"""The pictures of a finished run, and its row in TensorBoard's table of hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from framework.build.state import State
from framework.report import figures
from framework.report.jsonl import read_records
from framework.train.directory import RunDirectory
from framework.train.setup import Setup

_REGRESSION = ("r2", "rmse", "mse", "mae")


def illustrate(setup: Setup, home: RunDirectory, state: State, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw what the section `report` asks for; without matplotlib no PNG is drawn.

    TensorBoard shows the figures too; where none is drawn, matrices as plain images.

    Args:
      state: the evaluated state.
      metrics: split -> metric -> value, as in `result.json`.
    """
    step, company = int(state.step), setup.company
    drawn: dict[str, Path] = {}
    if setup.config.report.figures and not company.tell("whether to draw", lambda: bool(figures.missing())):
        predicted = {split: _regression(setup, state, split) for split in metrics}
        if company.first:
            drawn = _draw(setup, home, metrics, predicted, step)
    if setup.config.report.tensorboard and company.first:
        _fill_tensorboard(setup, home, metrics, step, drawn)


def _draw(
    setup: Setup,
    home: RunDirectory,
    metrics: Mapping[str, Mapping[str, Any]],
    predicted: Mapping[str, tuple[np.ndarray, np.ndarray] | None],
    step: int,
) -> dict[str, Path]:
    """Draw all figures; gives TensorBoard's tag of each and its file."""
    home.figures.mkdir(exist_ok=True)
    drawn = {}
    path = home.figures / "curves.png"
    if figures.draw_curves(read_records(home.metrics), path, best_step=step):
        drawn["figures/curves"] = path
    for split, values in metrics.items():
        for name, value in values.items():
            if isinstance(value, list):
                title = f"{setup.config.name}, {split}"
                path = drawn[f"{split}/{name}"] = home.figures / f"{name}_{split}.png"
                figures.draw_confusion(value, path, setup.dataset.classes, title=title)
        pair = predicted[split]
        if pair is not None:
            path = drawn[f"{split}/predictions"] = home.figures / f"predictions_{split}.png"
            figures.draw_predictions(*pair, path, title=f"{setup.config.name}, {split}")
    return drawn


def _regression(setup: Setup, state: State, split: str) -> tuple[np.ndarray, np.ndarray] | None:
    """True and predicted values, where a metric of regression says which arrays these are."""
    for bound in setup.experiment.metric_wires.values():
        ends = [path.partition(".") for path in bound.wires.values()]
        sides = {room: name for room, _, name in ends}
        if bound.type in _REGRESSION and set(sides) == {"outputs", "batch"}:
            source = setup.dataset.splits[split]
            predicted = setup.evaluator.predict_split(state, split)[sides["outputs"]]
            rows = np.arange(len(source) if setup.company.first else 1)
            return source.take(rows)[sides["batch"]], predicted
    return None


def _fill_tensorboard(
    setup: Setup, home: RunDirectory, metrics: Mapping[str, Mapping[str, Any]], step: int, drawn: Mapping[str, Path]
) -> None:
    from framework.report.tensorboard import TensorBoard

    scalars = {
        f"{split}/{name}": value
        for split, values in metrics.items()
        for name, value in values.items()
        if not isinstance(value, list)
    }
    board = TensorBoard(home.tensorboard)
    try:
        board.hparams(setup.config.model_dump(mode="json"), scalars, step)
        for tag, path in drawn.items():
            board.figure(tag, path.read_bytes(), step)
        for split, values in metrics.items():
            for name, value in values.items():
                if isinstance(value, list) and f"{split}/{name}" not in drawn:
                    board.matrix(f"{split}/{name}", value, step)
    finally:
        board.close()
