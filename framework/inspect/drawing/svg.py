"""A picture as SVG text."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from framework.inspect.drawing.geometry import Curve
from framework.inspect.drawing.layout import Picture
from framework.inspect.drawing.lettering import FONT
from framework.inspect.drawing.paint import Group, Letters, Mark, Patch, Rectangle, painted


def svg(picture: Picture) -> str:
    """The text of an SVG file; it refers to nothing outside of itself."""
    wide, high = _number(picture.width), _number(picture.height)
    groups = "\n".join(map(_group, painted(picture)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
        f'font-family={quoteattr(FONT)} role="img" aria-label={quoteattr(_clean(picture.diagram.name))}>\n'
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>\n{groups}\n</svg>\n'
    )


def _group(group: Group) -> str:
    marks = "".join(map(_mark, group.marks))
    title = f"<title>{escape(_clean(group.title))}</title>" if group.title else ""
    return f"<g>{title}{marks}</g>"


def _mark(mark: Mark) -> str:
    if isinstance(mark, Rectangle):
        return (
            f'<rect x="{_number(mark.x)}" y="{_number(mark.y)}" width="{_number(mark.width)}" '
            f'height="{_number(mark.height)}" rx="{_number(mark.radius)}" fill="{mark.fill}" stroke="{mark.line}" '
            f'stroke-width="{mark.stroke}"/>'
        )
    if isinstance(mark, Letters):
        style = (' font-weight="bold"' if mark.bold else "") + (' text-anchor="middle"' if mark.middle else "")
        return (
            f'<text x="{_number(mark.x)}" y="{_number(mark.y)}" font-size="{mark.size}" fill="{mark.colour}"{style}>'
            f"{escape(_clean(mark.text))}</text>"
        )
    if isinstance(mark, Patch):
        corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in mark.corners)
        return f'<polygon points="{corners}" fill="{mark.colour}"/>'
    return f'<path d="{_path(mark.curves)}" fill="none" stroke="{mark.colour}" stroke-width="{mark.width}"/>'


def _path(curves: Sequence[Curve]) -> str:
    parts = [f"M{_pair(curves[0][0])}"]
    for _, *rest in curves:
        parts.append(("C" if len(rest) == 3 else "L") + " ".join(map(_pair, rest)))
    return "".join(parts)


def _pair(point: tuple[float, float]) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _clean(text: str) -> str:
    """Without the control characters that XML does not allow."""
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")
