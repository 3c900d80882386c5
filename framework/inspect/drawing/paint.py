"""A picture as rectangles, lines and letters: the same for every kind of file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from framework.inspect.drawing.diagram import Line
from framework.inspect.drawing.geometry import Curve, Point
from framework.inspect.drawing.kinds import KINDS
from framework.inspect.drawing.layout import Box, Entry, Frame, Picture, Route
from framework.inspect.drawing.lettering import LEADING, SIZES, width

_INK, _PALE = "#1f2933", "#52606d"
_WIRE, _SKIP = "#5a6673", "#8a4fb5"
_FRAMES = ("#f7f9fc", "#eef2f8")
_FRAME_LINE = "#aab6c6"
_ARROW = (7.0, 3.4)
_STACK = 3.0
_ASCENT = 0.98


@dataclass(frozen=True)
class Rectangle:
    """With rounded corners."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    fill: str
    line: str
    stroke: float = 1.2


@dataclass(frozen=True)
class Letters:
    """A line of text; `x` is its left end, or its middle, and `y` its baseline."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    bold: bool = False
    middle: bool = False


@dataclass(frozen=True)
class Stroke:
    """A line along curves."""

    curves: tuple[Curve, ...]
    colour: str
    width: float = 1.4


@dataclass(frozen=True)
class Patch:
    """A filled polygon."""

    corners: tuple[Point, ...]
    colour: str


Mark = Rectangle | Letters | Stroke | Patch


@dataclass(frozen=True)
class Group:
    """Marks that belong together, with what a tooltip tells of them."""

    marks: tuple[Mark, ...]
    title: str = ""


def painted(picture: Picture) -> Iterator[Group]:
    """Everything, from the back to the front."""
    yield Group(tuple(_title(picture)))
    for frame in picture.frames:
        yield Group(tuple(_frame(frame)), frame.item.title)
    # A skip runs above what it skips; drawn last, it is seen where others cross it.
    for route in sorted(picture.routes, key=lambda route: route.skips):
        yield Group(tuple(_route(route)), f"{_named(route.source)} -> {_named(route.target)}")
    for box in picture.boxes:
        yield Group(tuple(_box(box)), box.item.title)
    for entry in picture.legend:
        yield Group(tuple(_entry(entry)))


def _title(picture: Picture) -> Iterator[Mark]:
    x, size = 18.0, 15.0
    yield Letters(x, 30.0, picture.diagram.name, size, _INK, bold=True)
    after = x + width(picture.diagram.name, "name") * size / SIZES["name"] + 14
    yield Letters(after, 30.0, picture.diagram.remark, 12.0, _PALE)


def _frame(frame: Frame) -> Iterator[Mark]:
    if frame.item.copies > 1:
        yield from _behind(frame.x, frame.y, frame.width, frame.height, 8.0, "#ffffff", _FRAME_LINE)
    fill = _FRAMES[frame.depth % 2]
    yield Rectangle(frame.x, frame.y, frame.width, frame.height, 8.0, fill, _FRAME_LINE)
    x = frame.x + 10.0
    for line in frame.item.lines:
        yield Letters(x, frame.y + 17.0, line.text, SIZES[line.style], _colour(line), line.style == "name")
        x += width(line.text, line.style) + 8.0


def _box(box: Box) -> Iterator[Mark]:
    kind = KINDS[box.item.kind]
    radius = min(box.height / 2, 15.0) if box.item.end else 5.0
    if box.item.copies > 1:
        yield from _behind(box.x, box.y, box.width, box.height, radius, kind.fill, kind.line)
    yield Rectangle(box.x, box.y, box.width, box.height, radius, kind.fill, kind.line, 1.8 if box.item.folded else 1.2)
    lines = box.item.lines
    y = box.y + (box.height - sum(SIZES[line.style] * LEADING for line in lines)) / 2
    for line in lines:
        size = SIZES[line.style]
        middle = box.x + box.width / 2
        yield Letters(middle, y + _ASCENT * size, line.text, size, _colour(line), line.style == "name", middle=True)
        y += size * LEADING


def _behind(x: float, y: float, wide: float, high: float, radius: float, fill: str, line: str) -> Iterator[Mark]:
    """Two more sheets behind a box that stands for several."""
    for sheet in (2, 1):
        yield Rectangle(x + sheet * _STACK, y - sheet * _STACK, wide, high, radius, fill, line)


def _route(route: Route) -> Iterator[Mark]:
    colour = _SKIP if route.skips else _WIRE
    curves = route.curves
    if not route.arrow:
        yield Stroke(curves, colour)
        return
    x, y = curves[-1][-1]
    long, half = _ARROW
    # The line ends inside the arrow's head, whose tip is then sharp.
    yield Stroke((*curves[:-1], (*curves[-1][:-1], (x - long + 1, y))), colour)
    yield Patch(((x, y), (x - long, y - half), (x - long, y + half)), colour)


def _entry(entry: Entry) -> Iterator[Mark]:
    if entry.kind == "skip":
        yield Stroke((((entry.x, entry.y), (entry.x + 14, entry.y)),), _SKIP, 1.8)
    elif entry.kind:
        kind = KINDS[entry.kind]
        yield Rectangle(entry.x, entry.y - 5.5, 14.0, 11.0, 2.5, kind.fill, kind.line, 1.0)
    yield Letters(entry.x + (20 if entry.kind else 0), entry.y + 3.6, entry.title, SIZES["shape"], _PALE)


def _colour(line: Line) -> str:
    return _INK if line.style == "name" else _PALE


def _named(path: str) -> str:
    place, _, name = path.rpartition(":")
    return f"{place.split(':')[0]} {name}".strip() if place else path
