"""A picture as a PNG file, by matplotlib, from the same marks as the SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from framework.inspect.drawing.geometry import Curve
from framework.inspect.drawing.layout import Picture
from framework.inspect.drawing.paint import Letters, Mark, Patch, Rectangle, painted

_INCH = 100.0
_POINTS = 72 / _INCH
_SHARPNESS = 2.0
_MOST_PIXELS = 60e6


def png(picture: Picture) -> bytes:
    """The content of a PNG file, twice as fine as the picture; less where the file would become very large."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sharp = min(_SHARPNESS, (_MOST_PIXELS / (picture.width * picture.height)) ** 0.5)
    figure = Figure(figsize=(picture.width / _INCH, picture.height / _INCH), dpi=_INCH * sharp, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.axis("off")
    order = 1
    for group in painted(picture):
        for mark in group.marks:
            _draw(axes, mark, order)
            order += 1
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_INCH * sharp)
    return content.getvalue()


def _draw(axes: Any, mark: Mark, order: int) -> None:
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon

    if isinstance(mark, Letters):
        axes.text(
            mark.x, mark.y, mark.text, fontsize=mark.size * _POINTS, color=mark.colour, va="baseline",
            ha="center" if mark.middle else "left", fontweight="bold" if mark.bold else "normal",
            fontfamily="DejaVu Sans", zorder=order, parse_math=False,
        )  # fmt: skip
    elif isinstance(mark, Rectangle):
        corners = f"round,pad=0,rounding_size={min(mark.radius, mark.height / 2, mark.width / 2)}"
        axes.add_patch(
            FancyBboxPatch(
                (mark.x, mark.y),
                mark.width,
                mark.height,
                boxstyle=corners,
                facecolor=mark.fill,
                edgecolor=mark.line,
                linewidth=mark.stroke * _POINTS,
                zorder=order,
            )
        )
    elif isinstance(mark, Patch):
        axes.add_patch(Polygon(mark.corners, closed=True, facecolor=mark.colour, edgecolor="none", zorder=order))
    else:
        axes.add_patch(
            PathPatch(
                _path(mark.curves),
                facecolor="none",
                edgecolor=mark.colour,
                linewidth=mark.width * _POINTS,
                capstyle="butt",
                zorder=order,
            )
        )


def _path(curves: Sequence[Curve]) -> Any:
    from matplotlib.path import Path as Outline

    points, codes = [curves[0][0]], [Outline.MOVETO]
    for _, *rest in curves:
        points += rest
        codes += [Outline.CURVE4] * 3 if len(rest) == 3 else [Outline.LINETO]
    return Outline(points, codes)
