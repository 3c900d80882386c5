"""A picture of a layout: which device holds which part of each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from framework.inspect.plan.quantities import show_bytes
from framework.inspect.shardings import Row, Shardings

_MOST_ROWS = 60
_MOST_DEVICES = 64
_INK, _BLUE, _PALE = "#222222", "#2f6db3", "#dbe6f2"
_WHOLE = "#e4e4e4"


def draw(found: Shardings, path: Path, *, title: str) -> None:
    """Write a PNG: a row for each parameter, a column for each device; devices of one colour hold the same part.

    A grey row is whole on every device. Beside it, the bytes of the whole parameter (pale) and of what each device
    holds (dark). The largest parameters are drawn where there are more than sixty, and the first devices where there
    are more than sixty-four.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = _largest(found.rows)
    devices = math.prod(found.axes.values())
    held = np.array([parts_held(row, found.axes)[:_MOST_DEVICES] for row in rows])
    divided = np.array([any(row.spec) for row in rows])
    shown = np.ma.masked_array(held, np.broadcast_to(~divided[:, None], held.shape))
    figure = Figure(
        figsize=(11.5, 1.8 + 0.26 * len(rows)), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.02)
    )
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1], sharey=True)
    colours = ListedColormap(_colours(int(held.max()) + 1)).with_extremes(bad=_WHOLE)
    left.imshow(shown, cmap=colours, vmin=0, vmax=max(1, held.max()), aspect="auto", interpolation="none")
    left.set_xticks(np.arange(held.shape[1] + 1) - 0.5, minor=True)
    left.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    left.grid(which="minor", color="white", linewidth=1.2)
    left.set_yticks(range(len(rows)), [f"{row.path}  {_spec(row)}" for row in rows], fontsize=8, family="monospace")
    few = held.shape[1] <= 16
    left.set_xticks(range(held.shape[1]) if few else [0, held.shape[1] - 1])
    which = f"the first {held.shape[1]} of {devices} devices" if held.shape[1] < devices else "devices"
    left.set_xlabel(f"{which}, by the part that they hold; grey: all of it", fontsize=9)
    if few:
        for (row, column), part in np.ndenumerate(held):
            if divided[row]:
                left.text(column, row, str(part), ha="center", va="center", fontsize=7, color="white")
    places = np.arange(len(rows))
    right.barh(places, [row.nbytes for row in rows], color=_PALE)
    right.barh(places, [row.device_bytes for row in rows], color=_BLUE, height=0.45)
    right.set_xscale("log")
    right.set_xlabel("bytes, whole (pale) and held", fontsize=9)
    total, each = (sum(part[side] for part in found.parts.values()) for side in (0, 1))
    remark = f"{title}: a state of {show_bytes(total)}, {show_bytes(each)} on each device"
    figure.suptitle(remark, x=0.01, ha="left", fontsize=10)
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


def _largest(rows: tuple[Row, ...]) -> list[Row]:
    kept = {row.path for row in sorted(rows, key=lambda row: -row.nbytes)[:_MOST_ROWS]}
    return [row for row in rows if row.path in kept]


def _spec(row: Row) -> str:
    sizes = (f"{size}/{axis}" if axis else str(size) for size, axis in zip(row.shape, row.spec, strict=True))
    return f"[{', '.join(sizes)}]"


def _colours(count: int) -> list[tuple[float, ...]]:
    """One for each part, dark enough for white numbers."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.12 + 0.75 * index / max(1, count - 1))[:3] for index in range(count)]
