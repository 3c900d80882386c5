"""Results in a notebook: a metric table, shaded confusion matrices and the curves of the loss, as plain HTML and SVG.

Colours follow the notebook's own theme, light or dark, and everything that comes from outside is escaped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from framework.report.tables import Matrix, class_names, matrices
from framework.report.words import number

_COLORS = {"train": "#2f6db3", "valid": "#d9730d"}
_WIDTH, _HEIGHT, _MARGIN = 420, 150, 8
_MOST_CLASSES = 30
_MOST_POINTS = 400


def result_html(path: Path, metrics: Mapping[str, Mapping[str, Any]], history: Sequence[Mapping[str, Any]] = ()) -> str:
    """What a run came to, for `_repr_html_`.

    Args:
      path: the run directory; the names of the classes are read from it where it has them.
      metrics: split -> metric -> number, or matrix (a list of rows).
      history: the records of the metric log.
    """
    parts = [f"<div><b>{escape(path.name)}</b> <code>{escape(str(path))}</code></div>"]
    if metrics:
        parts.append(metrics_html(metrics))
    parts.append(curve_html(history))
    for split, name, matrix in matrices(metrics):
        parts.append(confusion_html(matrix, _class_names(path), title=f"{split} {name}"))
    return "<div>" + "".join(parts) + "</div>"


def metrics_html(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Metrics as rows, splits as columns."""
    names = dict.fromkeys(
        name for values in metrics.values() for name, value in values.items() if isinstance(value, int | float)
    )
    head = "".join(f"<th>{escape(split)}</th>" for split in metrics)
    rows = "".join(
        f"<tr><th>{escape(name)}</th>"
        + "".join(f"<td>{number(values[name]) if name in values else ''}</td>" for values in metrics.values())
        + "</tr>"
        for name in names
    )
    return f"<table><tr><th></th>{head}</tr>{rows}</table>"


def confusion_html(matrix: Matrix, classes: Sequence[str] | None = None, *, title: str = "confusion") -> str:
    """Counts by true class (row) and predicted class (column), shaded by the share of the row."""
    names = class_names(matrix, classes)
    caption = f"<div>{escape(title)}: true classes in rows, predicted ones in columns</div>"
    if len(names) > _MOST_CLASSES:
        return f"<div>{escape(title)}: {len(names)} classes, see the run's figures</div>"
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = []
    for index, (name, row) in enumerate(zip(names, matrix, strict=True)):
        total = sum(row) or 1
        cells = "".join(_cell(count, count / total, index == at) for at, count in enumerate(row))
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return f"{caption}<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def curve_html(history: Sequence[Mapping[str, Any]], metric: str = "loss") -> str:
    """One metric over the steps, training and validation together, as an SVG; empty where there is nothing to draw.

    The scale is logarithmic where all values are positive and span a factor of 20 or more.
    """
    curves: dict[str, list[tuple[float, float]]] = {}
    for record in history:
        value = record.get(metric)
        if isinstance(value, int | float) and math.isfinite(value):
            curves.setdefault(str(record["split"]), []).append((record["step"], value))
    values = [value for points in curves.values() for _, value in points]
    if not values:
        return ""
    logarithmic = min(values) > 0 and max(values) >= 20 * min(values)
    scale = math.log if logarithmic else float
    low, high = scale(min(values)), scale(max(values))
    last = max(step for points in curves.values() for step, _ in points)
    lines, legend = [], []
    for split, points in curves.items():
        color = _COLORS.get(split, "gray")
        thinned = points[:: -(-len(points) // _MOST_POINTS)]
        path = " ".join(f"{_x(step, last):.1f},{_y(scale(value), low, high):.1f}" for step, value in thinned)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        legend.append(f'<span style="color:{color}">{escape(split)} {number(float(points[-1][1]))}</span>')
    note = f"{number(float(min(values)))} to {number(float(max(values)))}{', log scale' if logarithmic else ''}"
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    frame = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="currentColor" stroke-opacity="0.25"/>'
    return (
        f"<div>{escape(metric)} over {last:,} steps ({note}): {', '.join(legend)}</div>"
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{frame}{"".join(lines)}</svg>'
    )


def _class_names(run: Path) -> list[str] | None:
    path = run / "data.json"
    return json.loads(path.read_text(encoding="utf-8")).get("class_names") if path.is_file() else None


def _cell(count: float, share: float, right: bool) -> str:
    color = "47,109,179" if right else "217,115,13"
    # The square root, so that rare mistakes show as well.
    style = f"background:rgba({color},{0.6 * math.sqrt(share):.2f});text-align:right"
    return f'<td style="{style}">{count if count else ""}</td>'


def _x(step: float, last: float) -> float:
    return _MARGIN + (_WIDTH - 2 * _MARGIN) * step / max(1, last)


def _y(value: float, low: float, high: float) -> float:
    return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * ((value - low) / (high - low) if high > low else 0.5)
