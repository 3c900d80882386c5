"""A whole diagram laid out: levels from the innermost outwards, then everything in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from framework.inspect.drawing import lettering
from framework.inspect.drawing.columns import broken, columns_of, lanes_across
from framework.inspect.drawing.diagram import Diagram, Item, Level, Line
from framework.inspect.drawing.geometry import Curve, Point, moved
from framework.inspect.drawing.grid import GAP, Grid, laid_out
from framework.inspect.drawing.kinds import KINDS
from framework.inspect.drawing.lanes import Shape
from framework.inspect.drawing.skips import skipping

_PADDING = (10.0, 7.0)
_LEAST = (58.0, 28.0)
_HEAD = 24.0
_FRAME_PADDING = 10.0
_HEAD_GAP = 8.0
_MARGIN = 18.0
_TITLE = 34.0
_LEGEND_ROW = 20.0
_LEGEND_GAP = 16.0
_TALL = 1.9
_FRAME_TALL = 2.3
_SHORT, _PAGE = 620.0, 480.0
_MOST_ROWS = 9
_SLACK = (1.02, 1.12, 1.3)


@dataclass(frozen=True)
class Box:
    """An item where it stands."""

    item: Item
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Frame:
    """A box that is opened, with how many are around it."""

    item: Item
    x: float
    y: float
    width: float
    height: float
    depth: int


@dataclass(frozen=True)
class Route:
    """A wire where it runs.

    Attributes:
      source, target: paths of the items.
      curves: from one to the other.
      arrow: it ends at a box, not on the border of a frame.
      skips: the value also reaches the target through other nodes.
    """

    source: str
    target: str
    curves: tuple[Curve, ...]
    arrow: bool
    skips: bool


@dataclass(frozen=True)
class Entry:
    """A word of the legend where it stands: a kind, or `skip`."""

    kind: str
    title: str
    x: float
    y: float


@dataclass(frozen=True)
class Picture:
    """Everything in pixels, before anything is written."""

    diagram: Diagram
    width: float
    height: float
    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    routes: tuple[Route, ...]
    legend: tuple[Entry, ...]


@dataclass(frozen=True)
class _Laid:
    """A level with the levels inside it."""

    level: Level
    grid: Grid
    shapes: dict[str, Shape]
    inner: dict[str, _Laid]


def picture(diagram: Diagram) -> Picture:
    """The layout of a diagram."""
    laid = _laid(diagram.level, framed=False)
    boxes: list[Box] = []
    frames: list[Frame] = []
    routes: list[Route] = []
    _put(laid, (_MARGIN, _MARGIN + _TITLE), 0, frozenset(), boxes, frames, routes)
    name, remark = Line(diagram.name, "name"), Line(diagram.remark, "op")
    titled = 1.25 * lettering.row((name, remark), 14)
    width = max(laid.grid.width, titled, 260.0) + 2 * _MARGIN
    below = _MARGIN + _TITLE + laid.grid.height + _LEGEND_GAP
    legend = _legend(boxes, routes, width, below)
    height = max((entry.y for entry in legend), default=below) + _LEGEND_ROW / 2 + _MARGIN - 4
    return Picture(diagram, width, height, tuple(boxes), tuple(frames), tuple(routes), legend)


def _laid(level: Level, *, framed: bool) -> _Laid:
    """A level in as many rows as give it a good form."""
    inner = {item.key: _laid(item.inside, framed=True) for item in level.items if item.inside is not None}
    shapes = {item.key: _shape(item, inner.get(item.key), framed) for item in level.items}
    columns = columns_of(level.items, level.wires, ports=framed)
    lanes = lanes_across(columns, level.wires)
    widths = [max(shapes[key].width for key in column) + GAP for column in columns]
    whole = sum(widths)
    right = frozenset(item.key for item in level.ends("output")) if framed else frozenset()
    most = 1 if whole < (_SHORT if framed else _PAGE) else min(_MOST_ROWS, len(columns))
    skips = skipping(level)
    found: list[tuple[float, Grid]] = []
    tried = set()
    for longest in _lengths(whole, max(widths), most):
        rows = broken(columns, widths, lanes, longest, 1)
        if tuple(rows) in tried:
            continue
        tried.add(tuple(rows))
        grid = laid_out(rows, level.wires, shapes, right=right, skips=skips)
        head = _TITLE + _LEGEND_GAP + _LEGEND_ROW if not framed else _HEAD
        form = grid.width / (grid.height + head)
        score = abs(log(form / (_FRAME_TALL if framed else _TALL))) + 0.04 * (len(rows) - 1)
        found.append((score, grid))
    return _Laid(level, min(found, key=lambda pair: pair[0])[1], shapes, inner)


def _lengths(whole: float, widest: float, most: int) -> list[float]:
    """Lengths of rows to try: the whole, and about a half, a third and so on."""
    parts = [max(whole / count * slack, widest) for count in range(2, most + 1) for slack in _SLACK]
    return [whole + 1, *parts]


def _shape(item: Item, inner: _Laid | None, framed: bool) -> Shape:
    if inner is not None:
        entries, exits = (
            {
                end.key.partition(":")[2]: inner.grid.places[end.key][1] + _HEAD + _HEAD_GAP
                for end in inner.level.ends(which)
            }
            for which in ("input", "output")
        )
        width = max(inner.grid.width, lettering.row(item.lines, 8) + 2 * _FRAME_PADDING)
        return Shape(width, inner.grid.height + _HEAD + _HEAD_GAP + _FRAME_PADDING, tuple(entries.values()), exits)
    if item.end and framed:
        return Shape(0.0, 0.0, (), {})
    width, height = lettering.block(item.lines)
    return Shape(max(width + 2 * _PADDING[0], _LEAST[0]), max(height + 2 * _PADDING[1], _LEAST[1]), (), {})


def _put(
    laid: _Laid,
    at: Point,
    depth: int,
    skipped: frozenset[str],
    boxes: list[Box],
    frames: list[Frame],
    routes: list[Route],
) -> None:
    """A level and all inside it, with its upper left corner at a place.

    Args:
      skipped: keys of inputs that skips lead to; inside, they go on as skips.
    """
    items = {item.key: item for item in laid.level.items}
    skips = skipping(laid.level) | {wire for wire in laid.level.wires if wire.source in skipped}
    for key, item in items.items():
        x, y = laid.grid.places[key]
        shape = laid.shapes[key]
        if item.inside is not None:
            frames.append(Frame(item, x + at[0], y + at[1], shape.width, shape.height, depth))
            place = (x + at[0], y + at[1] + _HEAD + _HEAD_GAP)
            starts = [end.key for end in item.inside.ends("input")]
            led = frozenset(starts[wire.slot] for wire in skips if wire.target == key)
            _put(_widened(laid.inner[key], shape.width), place, depth + 1, led, boxes, frames, routes)
        elif shape.width:
            boxes.append(Box(item, x + at[0], y + at[1], shape.width, shape.height))
    for wire, curves in laid.grid.routes.items():
        target = items[wire.target]
        arrow = target.inside is None and laid.shapes[wire.target].width > 0
        there = tuple(moved(curve, at) for curve in curves)
        routes.append(Route(items[wire.source].path, target.path, there, arrow, wire in skips))


def _widened(laid: _Laid, width: float) -> _Laid:
    """A level in a frame that its title made wider: what ends on the right border goes on to it."""
    more = width - laid.grid.width
    if more < 1e-6:
        return laid
    stops = {item.key for item in laid.level.ends("output")}
    routes = dict(laid.grid.routes)
    for wire, curves in laid.grid.routes.items():
        if wire.target in stops:
            x, y = curves[-1][-1]
            routes[wire] = (*curves, ((x, y), (x + more, y)))
    places = {key: (x + more, y) if key in stops else (x, y) for key, (x, y) in laid.grid.places.items()}
    return _Laid(laid.level, Grid(width, laid.grid.height, places, routes), laid.shapes, laid.inner)


def _legend(boxes: Sequence[Box], routes: Sequence[Route], width: float, top: float) -> tuple[Entry, ...]:
    """The kinds that are there, in rows below the network."""
    kinds = {box.item.kind for box in boxes}
    words = [(kind, KINDS[kind].title) for kind in KINDS if kind in kinds and kind != "end"]
    if any(route.skips for route in routes):
        words.append(("skip", "skip connection"))
    words.append(("", "in a box: shape of the output · parameters"))
    entries = []
    x, y = _MARGIN, top + _LEGEND_ROW / 2
    for kind, title in words:
        wide = (20 if kind else 0) + lettering.width(title, "shape") + 16
        if x > _MARGIN and x + wide > width - _MARGIN + 16:
            x, y = _MARGIN, y + _LEGEND_ROW
        entries.append(Entry(kind, title, x, y))
        x += wide
    return tuple(entries)
