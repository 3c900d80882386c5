"""Figures of a run as PNG files: learning curves, confusion matrices, predictions against targets.

Matplotlib is an extra and is loaded on first use, with a canvas that only makes files: no display is needed.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from framework.core.files import unwritable
from framework.report.tables import Matrix, class_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = "no figures were drawn, since matplotlib is missing; pip install 'framework[figures]' brings it"

_BLUE, _ORANGE, _INK, _GREY = "#2f6db3", "#d9730d", "#222222", "#8a8a8a"
_BOOKKEEPING = ("step", "epoch", "split", "nonfinite", "learning_rate")
_MOST_POINTS = 1500
_MARKED_POINTS = 15
_NUMBERED_CLASSES = 25


def missing() -> str | None:
    """A sentence that tells how to install what drawing needs, or None where it is there."""
    return MISSING if importlib.util.find_spec("matplotlib") is None else None


def draw_curves(records: Sequence[Mapping[str, Any]], path: Path, *, best_step: int | None = None) -> bool:
    """Learning curves, one panel a metric, training and validation together.

    A metric that is positive and spans a factor of 20 or more is drawn on a logarithmic scale.

    Args:
      records: of `metrics.jsonl`.
      path: the PNG to write.
      best_step: marked in every panel.

    Returns:
      Whether there was anything to draw.
    """
    curves = _curves(records)
    if not curves:
        return False
    columns = min(2, len(curves))
    rows = -(-len(curves) // columns)
    figure = new_figure(5.4 * columns, 3.4 * rows)
    for index, (name, splits) in enumerate(curves.items()):
        axes = figure.add_subplot(rows, columns, index + 1)
        _draw_panel(axes, name, splits, best_step)
    figure.axes[0].legend(frameon=False, fontsize=9)
    save(figure, path)
    return True


def draw_confusion(matrix: Matrix, path: Path, classes: Sequence[str] | None = None, *, title: str = "") -> None:
    """A confusion matrix: shaded by the share of each true class, with its counts written in it."""
    from matplotlib.colors import PowerNorm

    counts = np.asarray(matrix, np.float64)
    names = class_names(matrix, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(10.0, 2.2 + 0.46 * len(names))
    figure = new_figure(size + 0.6, size)
    axes = figure.add_subplot()
    # The square root of the share, so that a mistake of one in a hundred can still be seen.
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    bar = figure.colorbar(
        image, ax=axes, fraction=0.046, pad=0.03, format="{x:.0%}", ticks=[0, 0.01, 0.05, 0.2, 0.5, 1]
    )
    bar.outline.set_visible(False)
    bar.set_label("share of the true class", color=_GREY)
    if len(names) <= _NUMBERED_CLASSES:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[row, column] > 0.35 else _INK
                axes.text(column, row, f"{count:g}", ha="center", va="center", color=color, fontsize=9)
        slanted = max(map(len, names)) > 3
        axes.set_xticks(range(len(names)), names, rotation=45 if slanted else 0, ha="right" if slanted else "center")
        axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, loc="left", fontsize=11)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save(figure, path)


def draw_predictions(targets: Any, predictions: Any, path: Path, *, title: str = "") -> None:
    """Predicted against true values of a regression, with the line on which they would be equal."""
    true, predicted = np.asarray(targets, np.float64).ravel(), np.asarray(predictions, np.float64).ravel()
    figure = new_figure(5.2, 5.0)
    axes = figure.add_subplot()
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    margin = 0.04 * (high - low or 1.0)
    limits = (low - margin, high + margin)
    axes.plot(limits, limits, color=_GREY, linewidth=1, linestyle="--", label="equal")
    alpha = float(np.clip(60 / math.sqrt(max(1, true.size)), 0.15, 0.7))
    axes.scatter(true, predicted, s=14, color=_BLUE, alpha=alpha, linewidths=0)
    axes.set(xlabel="true", ylabel="predicted", xlim=limits, ylim=limits, aspect="equal")
    axes.set_title(title, loc="left", fontsize=11)
    axes.legend(frameon=False, loc="upper left")
    tidy(axes)
    save(figure, path)


def _curves(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """metric -> split -> (steps, values); metrics that validation knows come first."""
    curves: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for record in records:
        for name, value in record.items():
            if name not in _BOOKKEEPING and isinstance(value, int | float):
                steps, values = curves.setdefault(name, {}).setdefault(str(record["split"]), ([], []))
                steps.append(record["step"])
                values.append(float(value))
    ordered = sorted(curves.items(), key=lambda item: ("valid" not in item[1], item[0] != "loss"))
    return {name: dict(sorted(splits.items())) for name, splits in ordered}


def _draw_panel(
    axes: Axes, name: str, splits: Mapping[str, tuple[list[int], list[float]]], best_step: int | None
) -> None:
    colors = {"train": _BLUE, "valid": _ORANGE}
    marker = "o" if max(len(steps) for steps, _ in splits.values()) <= _MARKED_POINTS else None
    for split, (steps, values) in splits.items():
        stride = -(-len(steps) // _MOST_POINTS)
        color = colors.get(split, _GREY)
        axes.plot(
            steps[::stride], values[::stride], label=split, color=color, linewidth=1.6, marker=marker, markersize=3.5
        )
    finite = [value for _, values in splits.values() for value in values if math.isfinite(value)]
    if finite and min(finite) > 0 and max(finite) >= 20 * min(finite):
        axes.set_yscale("log")
    if best_step is not None:
        axes.axvline(best_step, color=_GREY, linewidth=1, linestyle=":")
        at = dict(zip(*splits["valid"], strict=True)).get(best_step) if "valid" in splits else None
        if at is not None:
            axes.plot([best_step], [at], marker="o", markersize=7, markerfacecolor="white", color=_ORANGE, linewidth=0)
            axes.set_title(f"{at:.4g} at the best step, {best_step:,}", loc="right", fontsize=9, color=_GREY)
    axes.set_title(name, loc="left", fontsize=11)
    axes.set_xlabel("step")
    tidy(axes)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, for files alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """A light grid behind the data, and no frame where nothing is told."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG; missing folders are made.

    Raises:
      RunError: the disk is full, or the folder may not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=140)
    except OSError as error:
        raise unwritable(path, error) from error
