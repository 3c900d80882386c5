"""Which column a node stands in, and where a long chain of columns is broken into rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf

from framework.inspect.drawing.diagram import Item, Wire

Row = tuple[tuple[str, ...], ...]
"""The columns of a row, each the keys of what stands in it."""

_CROSSING = 0.15
_RAGGED = 1.2


def columns_of(items: Sequence[Item], wires: Sequence[Wire], *, ports: bool) -> list[list[str]]:
    """Each item one column behind the last of those that it reads, outputs in the last column.

    Args:
      items: in an order in which each comes after those that it reads.
      ports: the inputs are on the left border of a frame; else one that is used late stands just before that.
    """
    sources = defaultdict(list)
    targets = defaultdict(list)
    for wire in wires:
        sources[wire.target].append(wire.source)
        targets[wire.source].append(wire.target)
    place: dict[str, int] = {}
    for item in items:
        place[item.key] = max((place[key] + 1 for key in sources[item.key]), default=0)
    if ports and any(item.end == "input" for item in items):
        # A node that reads nothing may not stand on the border either.
        for item in items:
            if item.end != "input":
                place[item.key] = max([1, *(place[key] + 1 for key in sources[item.key])])
    last = max(place.values(), default=0)
    stops = [item.key for item in items if item.end == "output"]
    last = max([last, *(place[key] for key in stops)])
    if any(place[item.key] == last and item.end != "output" for item in items):
        last += 1
    for key in stops:
        place[key] = last
    for item in reversed(items):
        if not sources[item.key] and targets[item.key] and not (ports and item.end == "input"):
            place[item.key] = min(place[key] for key in targets[item.key]) - 1
    columns: list[list[str]] = [[] for _ in range(last + 1)]
    for item in items:
        columns[place[item.key]].append(item.key)
    return [column for column in columns if column]


def lanes_across(columns: Sequence[Sequence[str]], wires: Sequence[Wire]) -> list[int]:
    """For each column, how many values go on beyond it."""
    place = {key: index for index, column in enumerate(columns) for key in column}
    reach: dict[tuple[str, str], int] = {}
    for wire in wires:
        port = (wire.source, wire.output)
        reach[port] = max(reach.get(port, 0), place[wire.target])
    return [sum(place[port[0]] <= index < end for port, end in reach.items()) for index in range(len(columns))]


def broken(
    columns: Sequence[Sequence[str]], widths: Sequence[float], lanes: Sequence[int], longest: float, keep: int
) -> list[Row]:
    """Columns in rows of at most `longest`, broken where few values go across and the rows are about equally long.

    Args:
      widths: of each column with the gap behind it.
      lanes: see `lanes_across`.
      keep: how many columns at either end stay together with their neighbour.
    """
    count = len(columns)
    cost: list[float] = [0.0] + [inf] * count
    start = [0] * (count + 1)
    for end in range(1, count + 1):
        total = 0.0
        for begin in range(end - 1, -1, -1):
            total += widths[begin]
            if total > longest and begin < end - 1:
                break
            if 0 < begin <= keep or (begin and begin >= count - keep):
                continue
            ragged = _RAGGED * ((longest - total) / longest) ** 2 if end < count or begin else 0.0
            price = cost[begin] + ragged + (_CROSSING * (lanes[begin - 1] - 1) + 0.1 if begin else 0.0)
            if price < cost[end]:
                cost[end], start[end] = price, begin
    if cost[count] == inf:
        return [tuple(map(tuple, columns))]
    cuts = [count]
    while cuts[-1]:
        cuts.append(start[cuts[-1]])
    edges = cuts[::-1]
    return [tuple(tuple(column) for column in columns[first:second]) for first, second in pairwise(edges)]


def place_of(rows: Sequence[Row]) -> Mapping[str, tuple[int, int]]:
    """Key -> its row, and its column there."""
    return {
        key: (number, index) for number, row in enumerate(rows) for index, column in enumerate(row) for key in column
    }
