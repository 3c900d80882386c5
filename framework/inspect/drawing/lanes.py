"""The order of what stands in one column, and its height: nodes, and lanes that values pass nodes in.

A value that is read several columns later gets a lane in each column between, one for all its readers. Orders come from
sweeps of barycentres (Sugiyama, Tagawa and Toda 1981), heights from least squares under the order (isotonic regression
by pooling adjacent violators, Ayer et al. 1955).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from framework.inspect.drawing.diagram import Wire

Port = tuple[str, str]
"""A value: the item that gives it, and the name of the output."""

_SWEEPS = 8
_BOX_GAP, _LANE_GAP = 16.0, 11.0
_LIGHT = 1e-5


@dataclass(frozen=True)
class Thing:
    """What stands in a column: an item, or the lane of a value."""

    key: str
    port: Port | None = None
    column: int = 0


@dataclass(frozen=True)
class Shape:
    """Of an item: its size, and where wires meet its sides, from its top.

    Attributes:
      entries: by slot; empty where a wire may come anywhere.
      exits: by output; where a name is missing, the middle.
    """

    width: float
    height: float
    entries: tuple[float, ...]
    exits: Mapping[str, float]

    def entry(self, slot: int) -> float:
        """The height of an input."""
        return self.entries[slot] if slot < len(self.entries) else self.height / 2

    def exit(self, output: str) -> float:
        """The height of an output."""
        return self.exits.get(output, next(iter(self.exits.values()), self.height / 2))


@dataclass(frozen=True)
class Link:
    """A piece of a wire between two neighbouring columns, with the heights of its ends in what it joins."""

    left: Thing
    right: Thing
    leaves: float
    enters: float


@dataclass(frozen=True)
class Stacked:
    """A row whose columns have an order and heights.

    Attributes:
      tops: where everything begins; the least is 0.
      paths: wire -> the lanes that it takes.
    """

    tops: Mapping[Thing, float]
    paths: Mapping[Wire, tuple[Thing, ...]]
    height: float


def stacked(columns: Sequence[Sequence[str]], wires: Sequence[Wire], shapes: Mapping[str, Shape]) -> Stacked:
    """The heights of everything in a row.

    Args:
      wires: those that begin and end in it.
    """
    place = {key: index for index, column in enumerate(columns) for key in column}
    order, links, paths = _threaded(columns, wires, shapes, place)
    before, after = _neighbours(links)
    order = _uncrossed(order, before, after)
    heights = {thing: shapes[thing.key].height if thing.port is None else 0.0 for column in order for thing in column}
    tops = _tops(order, heights, before, after)
    for sign in (1, -1):
        _straighten(order, tops, sign)
    least = min(tops.values(), default=0.0)
    tops = {thing: top - least for thing, top in tops.items()}
    return Stacked(tops, paths, max((top + heights[thing] for thing, top in tops.items()), default=0.0))


def _threaded(
    columns: Sequence[Sequence[str]], wires: Sequence[Wire], shapes: Mapping[str, Shape], place: Mapping[str, int]
) -> tuple[list[list[Thing]], list[Link], dict[Wire, tuple[Thing, ...]]]:
    """The columns with their lanes, lanes first, so that what passes nodes does so above them."""
    lanes: list[dict[Thing, None]] = [{} for _ in columns]
    links: dict[Link, None] = {}
    paths = {}
    for wire in wires:
        port = (wire.source, wire.output)
        begin, end = place[wire.source], place[wire.target]
        path = tuple(Thing(wire.source, port, column) for column in range(begin + 1, end))
        for thing in path:
            lanes[thing.column][thing] = None
        stops = (Thing(wire.source), *path, Thing(wire.target))
        for left, right in pairwise(stops):
            leaves = shapes[wire.source].exit(wire.output) if left.port is None else 0.0
            enters = shapes[wire.target].entry(wire.slot) if right.port is None else 0.0
            links[Link(left, right, leaves, enters)] = None
        paths[wire] = path
    order = [[*own, *(Thing(key) for key in column)] for own, column in zip(lanes, columns, strict=True)]
    return order, list(links), paths


Neighbours = Mapping[Thing, list[tuple[Thing, float, float]]]
"""Thing -> what it is linked to on one side, the height of the link there, and here."""


def _neighbours(links: Sequence[Link]) -> tuple[Neighbours, Neighbours]:
    before, after = defaultdict(list), defaultdict(list)
    for link in links:
        before[link.right].append((link.left, link.leaves, link.enters))
        after[link.left].append((link.right, link.enters, link.leaves))
    return before, after


def _uncrossed(order: list[list[Thing]], before: Neighbours, after: Neighbours) -> list[list[Thing]]:
    """The order with the fewest crossings that sweeps of barycentres find."""
    best, fewest = order, _crossings(order, before)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forwards = sweep % 2 == 0
        near = before if forwards else after
        order = [list(column) for column in order]
        for index in range(len(order)) if forwards else reversed(range(len(order))):
            beside = index - 1 if forwards else index + 1
            if not 0 <= beside < len(order):
                continue
            rank = {thing: number for number, thing in enumerate(order[beside])}
            # A port lower on a tall frame counts as a little lower.
            wish = {
                thing: sum(rank[other] + there * 1e-4 for other, there, _ in near[thing]) / len(near[thing])
                if near.get(thing)
                else float(number)
                for number, thing in enumerate(order[index])
            }
            order[index].sort(key=lambda thing: wish[thing])
        count = _crossings(order, before)
        if count < fewest:
            best, fewest = order, count
    return best


def _crossings(order: Sequence[Sequence[Thing]], before: Neighbours) -> int:
    total = 0
    for left, right in pairwise(order):
        rank = {thing: number for number, thing in enumerate(left)}
        pairs = [
            ((rank[other], leaves), (number, enters))
            for number, thing in enumerate(right)
            for other, leaves, enters in before.get(thing, ())
        ]
        total += sum(a[0] < b[0] and a[1] > b[1] for a in pairs for b in pairs)
    return total


def _tops(
    order: Sequence[Sequence[Thing]], heights: Mapping[Thing, float], before: Neighbours, after: Neighbours
) -> dict[Thing, float]:
    """Heights that keep wires as level as the order allows; those of nodes outweigh those of lanes."""
    tops: dict[Thing, float] = {}
    for column in order:
        top = 0.0
        for index, thing in enumerate(column):
            top += _gap(column[index - 1], thing) if index else 0.0
            tops[thing] = top
            top += heights[thing]
        for thing in column:
            tops[thing] -= top / 2
    for sweep in range(_SWEEPS):
        sides = ((before,), (after,), (before,), (before, after))[sweep % 4]
        columns = order if sweep % 4 != 1 else list(reversed(order))
        for column in columns:
            _settle(column, heights, tops, sides)
    for column in order:
        _settle(column, heights, tops, (before,))
    return tops


def _settle(
    column: Sequence[Thing], heights: Mapping[Thing, float], tops: dict[Thing, float], sides: Sequence[Neighbours]
) -> None:
    """Put each thing of a column as near to where its neighbours want it as the others let it."""
    shifts, wishes, weights = [], [], []
    shift = 0.0
    for index, thing in enumerate(column):
        if index:
            shift += heights[column[index - 1]] + _gap(column[index - 1], thing)
        shifts.append(shift)
        pulls = [
            (tops[other] + there - here, 1.0 if (other.port is None) == (thing.port is None) else _LIGHT)
            for side in sides
            for other, there, here in side.get(thing, ())
        ]
        total = sum(weight for _, weight in pulls)
        wish = sum(place * weight for place, weight in pulls) / total if pulls else tops[thing]
        wishes.append(wish - shift)
        weights.append((1.0 if thing.port is None else _LIGHT) if pulls else _LIGHT / 10)
    for thing, place, offset in zip(column, isotonic(wishes, weights), shifts, strict=True):
        tops[thing] = place + offset


def _straighten(order: Sequence[Sequence[Thing]], tops: dict[Thing, float], sign: int) -> None:
    """Lift lanes that run above all boxes of their columns, each to one height; with `sign` -1, lower those below."""
    outer: list[list[Thing]] = []
    inner: set[Port] = set()
    for column in order:
        things = column if sign > 0 else column[::-1]
        first = next((index for index, thing in enumerate(things) if thing.port is None), 0)
        outer.append(list(reversed(things[:first])))
        inner |= {thing.port for thing in things[first:] if thing.port is not None}
    lanes: dict[Port, list[Thing]] = defaultdict(list)
    for column in outer:
        for thing in column:
            if thing.port is not None and thing.port not in inner:
                lanes[thing.port].append(thing)
    for _ in range(_SWEEPS):
        for members in lanes.values():
            height = min(sign * tops[thing] for thing in members)
            for thing in members:
                tops[thing] = sign * height
        for column in outer:
            for near, far in pairwise(column):
                tops[far] = sign * min(sign * tops[far], sign * tops[near] - _LANE_GAP)


def isotonic(wishes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The non-decreasing numbers nearest to `wishes`, by the sum of weighted squares."""
    pools: list[tuple[float, float, int]] = []
    for wish, weight in zip(wishes, weights, strict=True):
        value, heavy, count = wish, weight, 1
        while pools and pools[-1][0] > value:
            other, more, members = pools.pop()
            value = (value * heavy + other * more) / (heavy + more)
            heavy, count = heavy + more, count + members
        pools.append((value, heavy, count))
    return [value for value, _, count in pools for _ in range(count)]


def _gap(upper: Thing, lower: Thing) -> float:
    return _BOX_GAP if upper.port is None and lower.port is None else _LANE_GAP
