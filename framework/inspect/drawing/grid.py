"""One level laid out: rows of columns with gaps and channels between them, and the wires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import copysign, inf

from framework.inspect.drawing.columns import Row, place_of
from framework.inspect.drawing.diagram import Wire
from framework.inspect.drawing.geometry import Curve, Point, bent, swung
from framework.inspect.drawing.lanes import Shape, Stacked, Thing, isotonic, stacked
from framework.inspect.drawing.tracks import STEP, Runner, Tracks, Value, assigned, value_of

GAP = 30.0
"""Between two columns, in pixels."""

_STEEP_GAP = 46.0
_STEEP = 90.0
_BESIDE_TRACKS = 15.0
_CHANNEL = 26.0
_EDGE = 7.0
_ENTRIES = 9.0
_ASIDE = 8.0
_OUTSIDE = 12.0


@dataclass(frozen=True)
class Grid:
    """A level, laid out; (0, 0) is its upper left corner.

    Attributes:
      places: key -> upper left corner.
      routes: wire -> the curves that it follows.
    """

    width: float
    height: float
    places: Mapping[str, Point]
    routes: Mapping[Wire, tuple[Curve, ...]]


def laid_out(
    rows: Sequence[Row],
    wires: Sequence[Wire],
    shapes: Mapping[str, Shape],
    *,
    right: frozenset[str] = frozenset(),
    skips: frozenset[Wire] = frozenset(),
) -> Grid:
    """Place everything and route all wires.

    Args:
      right: keys that stand on the right border, whatever the length of their row.
      skips: the wires past nodes that read the same value.
    """
    return _Layout(rows, wires, shapes, right, skips).grid()


class _Layout:
    def __init__(
        self,
        rows: Sequence[Row],
        wires: Sequence[Wire],
        shapes: Mapping[str, Shape],
        right: frozenset[str],
        skips: frozenset[Wire],
    ) -> None:
        self.rows, self.shapes, self.right, self.skips = rows, shapes, right, skips
        self.shared = {(wire.source, wire.output) for wire in wires if wire not in skips}
        self.at = place_of(rows)
        self.within = [wire for wire in wires if self.at[wire.source][0] == self.at[wire.target][0]]
        self.across = [wire for wire in wires if self.at[wire.source][0] != self.at[wire.target][0]]
        self.inside = frozenset(self.within)
        self.tracks: Tracks = assigned(rows, self.across, skips)
        self.stacks: list[Stacked] = [
            stacked(row, [wire for wire in self.within if self.at[wire.source][0] == number], shapes)
            for number, row in enumerate(rows)
        ]
        self.climbs = self._climbs()
        self.lefts: list[list[float]] = []
        self.rights: list[list[float]] = []
        self._set_columns()
        self.tops: list[float] = []
        self._set_rows()

    def grid(self) -> Grid:
        places = {key: (self._left(key), self._top(key)) for row in self.rows for column in row for key in column}
        entries = self._entries()
        routes = {wire: self._within(wire, entries[wire]) for wire in self.within}
        routes |= {wire: self._across(wire, entries[wire]) for wire in self.across}
        for number, key in enumerate(self.raised):
            x, start = places[key]
            # Two outputs come out below each other, and the first runs up furthest out.
            up = x + STEP * (len(self.raised) - 1 - number)
            end = (self.width, self._top(self.rows[0][0][0]) + _ASIDE * 2 * number)
            for wire in routes:
                if wire.target == key:
                    *whole, last = routes[wire]
                    routes[wire] = (*whole, *bent([last[0], (up, start), (up, end[1]), end]))
            places[key] = end
        return Grid(self.width, self.tops[-1] + self.stacks[-1].height, places, routes)

    def _set_columns(self) -> None:
        """Left and right sides of all columns."""
        first = self.rows[0]
        margin = 2 * _BESIDE_TRACKS + STEP * (self.tracks.in_margin - 1) if self.tracks.in_margin else 0.0
        # Inputs on the border of a frame have no width: the margin is the gap behind them.
        ported = all(self.shapes[key].width == 0 for key in first[0])
        self.margin = max(margin, self._gap(0, 0)) if ported else margin
        ends = []
        for number, row in enumerate(self.rows):
            lefts, rights = [], []
            x = 0.0 if ported and number == 0 else self.margin
            for index, column in enumerate(row):
                lefts.append(x)
                x += max(self.shapes[key].width for key in column)
                rights.append(x)
                if index < len(row) - 1 or (number, index) in self.tracks.gaps:
                    x += self.margin if ported and number == index == 0 else self._gap(number, index)
            self.lefts.append(lefts)
            self.rights.append(rights)
            ends.append(x)
        # Outputs of a frame of several rows go up to where its inputs are, so that frames line up.
        self.raised = [key for key in self.rows[-1][-1] if key in self.right] if len(self.rows) > 1 else []
        self.width = max(ends) + (STEP * (len(self.raised) - 1) + _OUTSIDE if self.raised else 0.0)
        if any(key in self.right for key in self.rows[-1][-1]):
            self.lefts[-1][-1] = self.rights[-1][-1] = max(ends)

    def _gap(self, row: int, column: int) -> float:
        """The room behind a column: for its tracks, and for curves that climb far."""
        count = len(self.tracks.gaps.get((row, column), ()))
        room = 2 * _BESIDE_TRACKS + STEP * (count - 1) if count else GAP
        return max(room, _STEEP_GAP if self.climbs.get((row, column), 0.0) > _STEEP else GAP)

    def _climbs(self) -> dict[tuple[int, int], float]:
        """For each gap, how far up or down the steepest curve in it goes."""
        climbs: dict[tuple[int, int], float] = {}
        for wire in self.within:
            row, begin = self.at[wire.source]
            stops = self._heights(wire, self.stacks[row])
            for column, (here, there) in enumerate(pairwise(stops), start=begin):
                climbs[row, column] = max(climbs.get((row, column), 0.0), abs(here - there))
        return climbs

    def _heights(self, wire: Wire, stack: Stacked) -> list[float]:
        """Where a wire is in each column that it begins in, passes, and ends in, in its row."""
        start = stack.tops[Thing(wire.source)] + self.shapes[wire.source].exit(wire.output)
        end = stack.tops[Thing(wire.target)] + self.shapes[wire.target].entry(wire.slot)
        return [start, *(stack.tops[thing] for thing in stack.paths[wire]), end]

    def _set_rows(self) -> None:
        top = 0.0
        for number, stack in enumerate(self.stacks):
            self.tops.append(top)
            top += stack.height + _CHANNEL + STEP * max(0, len(self.tracks.channels.get(number, ())) - 1)

    def _top(self, key: str) -> float:
        row, _ = self.at[key]
        return self.tops[row] + self.stacks[row].tops[Thing(key)]

    def _left(self, key: str) -> float:
        row, column = self.at[key]
        return (self.lefts[row][column] + self.rights[row][column] - self.shapes[key].width) / 2

    def _exit(self, wire: Wire, towards: float) -> Point:
        """Where a wire leaves its source; a skip leaves a box beside what goes straight on."""
        shape = self.shapes[wire.source]
        x, y = self._left(wire.source) + shape.width, self._top(wire.source) + shape.exit(wire.output)
        aside = wire in self.skips and (wire.source, wire.output) in self.shared and shape.width and not shape.exits
        return x, y + (copysign(min(_ASIDE, shape.height / 4), towards - y) if aside else 0.0)

    def _entries(self) -> dict[Wire, Point]:
        """Where each wire meets its target: on a box as near to where it comes from as the others let it."""
        found: dict[Wire, Point] = {}
        arriving: dict[str, list[tuple[float, float, Wire]]] = {}
        met = {wire.target for wire in self.within}
        for wire in (*self.within, *self.across):
            row, _ = self.at[wire.target]
            x, top, shape = self._left(wire.target), self._top(wire.target), self.shapes[wire.target]
            if shape.entries or not shape.width:
                found[wire] = (x, top + shape.entry(wire.slot))
                continue
            if wire in self.inside:
                level, track = self._heights(wire, self.stacks[row])[-2] + self.tops[row], 0.0
            else:
                # From above: those further right meet the box higher up, so that they do not cross.
                beside = wire in self.skips or wire.target in met
                level, track = top if beside else top + shape.height / 2, -self._entering_x(wire)
            arriving.setdefault(wire.target, []).append((level, track, wire))
        for key, coming in arriving.items():
            x, top, height = self._left(key), self._top(key), self.shapes[key].height
            if len(coming) == 1:
                found[coming[0][2]] = (x, top + height / 2)
                continue
            coming.sort(key=lambda one: one[:2])
            apart = min(_ENTRIES, (height - 2 * _EDGE) / (len(coming) - 1))
            low, high = top + min(_EDGE, height / 2), top + height - min(_EDGE, height / 2)
            wishes = [min(max(level, low), high) - apart * number for number, (level, *_) in enumerate(coming)]
            # The wire that comes level stays level; the others make room.
            weights = [1000.0 if low < level < high else 1.0 for level, *_ in coming]
            settled = [y + apart * number for number, y in enumerate(isotonic(wishes, weights))]
            for number, (*_, wire) in enumerate(coming):
                least, most = low + apart * number, high - apart * (len(coming) - 1 - number)
                found[wire] = (x, min(max(settled[number], least), most))
        return found

    def _within(self, wire: Wire, entry: Point) -> tuple[Curve, ...]:
        """Through the gaps as curves, past columns as straight lines."""
        (row, begin), (_, end) = self.at[wire.source], self.at[wire.target]
        heights = [y + self.tops[row] for y in self._heights(wire, self.stacks[row])]
        heights[-1] = entry[1]
        here = self._exit(wire, heights[1])
        heights[0] = here[1]
        curves: list[Curve] = []
        for place, column in enumerate(range(begin, end)):
            leave, arrive = (
                (self.rights[row][column], heights[place]),
                (self.lefts[row][column + 1], heights[place + 1]),
            )
            curves += [(here, leave), swung(leave, arrive)]
            here = arrive
        curves.append((here, entry))
        return _joined(curves)

    def _across(self, wire: Wire, entry: Point) -> tuple[Curve, ...]:
        """Down the gap, along the channel, down the gap before the target."""
        (source_row, source_column), (target_row, _) = self.at[wire.source], self.at[wire.target]
        value = value_of(wire, self.skips)
        start = self._exit(wire, inf)
        down = self._track_x(source_row, source_column, ("out", value, source_row))
        first, last = self._channel_y(source_row, value), self._channel_y(target_row - 1, value)
        up = self._entering_x(wire)
        corners = [start, (down, start[1]), (down, first)]
        if target_row - source_row > 1:
            past = self._margin_x(("past", value, target_row))
            corners += [(past, first), (past, last)]
        return bent([*corners, (up, last), (up, entry[1]), entry])

    def _entering_x(self, wire: Wire) -> float:
        """Where a wire from another row comes down to its target."""
        row, column = self.at[wire.target]
        who: Runner = ("in", value_of(wire, self.skips), row)
        return self._track_x(row, column - 1, who) if column else self._margin_x(who)

    def _track_x(self, row: int, column: int, who: Runner) -> float:
        return self.rights[row][column] + _BESIDE_TRACKS + STEP * self.tracks.gaps[row, column].index(who)

    def _margin_x(self, who: Runner) -> float:
        return _BESIDE_TRACKS + STEP * self.tracks.margin_number(who)

    def _channel_y(self, row: int, value: Value) -> float:
        below = self.tops[row] + self.stacks[row].height
        return below + _CHANNEL / 2 + STEP * self.tracks.channels[row].index(value)


def _joined(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """The curves without empty ones, and straight lines that go on as one."""
    kept: list[Curve] = []
    for curve in curves:
        if len(curve) == 2 and abs(curve[0][0] - curve[1][0]) + abs(curve[0][1] - curve[1][1]) < 1e-6:
            continue
        if kept and len(kept[-1]) == len(curve) == 2 and abs(kept[-1][0][1] - curve[1][1]) < 1e-6:
            kept[-1] = (kept[-1][0], curve[1])
        else:
            kept.append(curve)
    return tuple(kept)
