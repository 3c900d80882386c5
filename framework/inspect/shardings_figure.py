"""A picture of a layout: which device holds which part of each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.axes import counted, product
from framework.inspect.plan.quantities import show_bytes
from framework.inspect.shardings import Row, Shardings

_MOST_ROWS = 60
_MOST_DEVICES = 64
_MOST_NUMBERS = 16
_INK, _BLUE, _PALE = "#222222", "#2f6db3", "#c9dbee"
_WHOLE = "#ececec"
_ROW_INCHES = 0.26


def draw(found: Shardings, path: Path, *, title: str) -> None:
    """Write a PNG: a row for each parameter, a column for each device; devices of one colour hold the same part.

    A grey row is whole on every device. Beside it, the bytes of the whole parameter (pale) and of what each device
    holds (dark), on a logarithmic scale. The largest parameters are drawn where there are more than sixty, and the
    first devices where there are more than sixty-four.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = _largest(found.rows)
    below = 0.9 + 0.17 * len(found.axes)
    figure = Figure(
        figsize=(12, 0.6 + below + _ROW_INCHES * len(rows)),
        layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.02),
    )
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=[2, 1], sharey=True)
    _draw_parts(left, rows, found.axes)
    _draw_bytes(right, rows)
    total, each = (sum(part[side] for part in found.parts.values()) for side in (0, 1))
    over = f" ({product(found.axes) if len(found.axes) > 1 else counted(*found.axes.values())})" if found.axes else ""
    remark = f"{title}{over}: a state of {show_bytes(total)}, {show_bytes(each)} on each device"
    figure.suptitle(remark, x=0.01, ha="left", fontsize=10, color=_INK)
    for axes in (left, right):
        axes.spines[:].set_visible(False)
        axes.tick_params(which="both", length=0, colors=_INK, labelsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)


def parts_held(row: Row, axes: Mapping[str, int]) -> np.ndarray:
    """For each device, in the order of the mesh, the number of the part that it holds; equal numbers are copies."""
    sizes = list(axes.values()) or [1]
    places = dict(zip(axes, np.indices(sizes), strict=False))
    part = np.zeros(sizes, int)
    for axis in row.spec:
        if axis is not None and axis in places:
            part = part * axes[axis] + places[axis]
    return part.ravel()


def _draw_parts(panel: Any, rows: Sequence[Row], axes: Mapping[str, int]) -> None:
    """The grid of devices, with the place of each on the mesh below it."""
    from matplotlib.colors import ListedColormap

    held = np.array([parts_held(row, axes)[:_MOST_DEVICES] for row in rows])
    divided = np.array([any(row.spec) for row in rows])
    shown = np.ma.masked_array(held, np.broadcast_to(~divided[:, None], held.shape))
    colours = ListedColormap(_colours(int(held.max()) + 1)).with_extremes(bad=_WHOLE)
    panel.imshow(shown, cmap=colours, vmin=0, vmax=max(1, held.max()), aspect="auto", interpolation="none")
    panel.set_xticks(np.arange(held.shape[1] + 1) - 0.5, minor=True)
    panel.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    panel.grid(which="minor", color="white", linewidth=1.2)
    panel.set_yticks(range(len(rows)), _labels(rows), fontsize=8, family="monospace")
    devices = math.prod(axes.values())
    few = held.shape[1] <= _MOST_NUMBERS
    columns = range(held.shape[1]) if few else (0, held.shape[1] - 1)
    panel.set_xticks(list(columns), [_place(device, axes) for device in columns])
    if few:
        for (row, column), part in np.ndenumerate(held):
            if divided[row]:
                panel.text(column, row, str(part), ha="center", va="center", fontsize=7, color="white")
    which = f"the first {held.shape[1]} of {devices} devices" if held.shape[1] < devices else "devices"
    names = f", and where each stands on {', '.join(axes)}" if axes else ""
    panel.set_xlabel(
        f"{which}{names}\none {'number' if few else 'colour'}, one part; grey: each holds all of it",
        fontsize=9,
        color=_INK,
    )


def _draw_bytes(panel: Any, rows: Sequence[Row]) -> None:
    """Bars of the whole and of what each device holds, with both in words."""
    places = np.arange(len(rows))
    panel.barh(places, [row.nbytes for row in rows], color=_PALE, height=0.8)
    panel.barh(places, [row.device_bytes for row in rows], color=_BLUE, height=0.4)
    panel.set_xscale("log")
    panel.set_xticks([])
    panel.xaxis.minorticks_off()
    least, most = min(row.device_bytes for row in rows), max(row.nbytes for row in rows)
    # Room for the words at the right of the longest bar, and a stump for the shortest.
    span = max(math.log10(most / least), 0.5)
    panel.set_xlim(least * 10 ** (-0.15 * span), most * 10 ** (0.75 * span))
    for place, row in zip(places, rows, strict=True):
        words = show_bytes(row.nbytes)
        if row.device_bytes < row.nbytes:
            words += f", {show_bytes(row.device_bytes)} each"
        panel.text(row.nbytes * 10 ** (0.03 * span), place, words, va="center", fontsize=7, color=_INK)
    panel.set_xlabel("whole (pale), on each device (dark),\nlogarithmic", fontsize=9, color=_INK)


def _place(device: int, axes: Mapping[str, int]) -> str:
    """The number of a device above its place on each axis."""
    places = np.unravel_index(device, list(axes.values())) if axes else ()
    return "\n".join([str(device), *(f"{axis} {place}" for axis, place in zip(axes, places, strict=True))])


def _largest(rows: tuple[Row, ...]) -> list[Row]:
    kept = {row.path for row in sorted(rows, key=lambda row: -row.nbytes)[:_MOST_ROWS]}
    return [row for row in rows if row.path in kept]


def _labels(rows: Sequence[Row]) -> list[str]:
    """Path and shape in two columns."""
    specs = [_spec(row) for row in rows]
    paths, shapes = max(len(row.path) for row in rows), max(map(len, specs))
    return [f"{row.path:<{paths}}  {spec:<{shapes}}" for row, spec in zip(rows, specs, strict=True)]


def _spec(row: Row) -> str:
    sizes = (f"{size}/{axis}" if axis else str(size) for size, axis in zip(row.shape, row.spec, strict=True))
    return f"[{', '.join(sizes)}]"


def _colours(count: int) -> list[tuple[float, ...]]:
    """One for each part, dark enough for white numbers."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.1 + 0.55 * index / max(1, count - 1))[:3] for index in range(count)]
