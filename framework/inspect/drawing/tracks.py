"""Wires from one row of a broken chain to another, and the room that they take.

Such a wire leaves its row in the gap behind its column, runs in a channel between rows, and enters in the gap before
its target's column; past whole rows it runs down the left margin. Gaps and channels hold no boxes, so it meets none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from framework.inspect.drawing.columns import Row, place_of
from framework.inspect.drawing.diagram import Wire

STEP = 8.0
"""Pixels between two tracks."""

Slot = tuple[int, int]
"""A gap: its row, and the column before it."""

Value = tuple[str, str, bool]
"""What runs: the item that gives it, the name of the output, and whether it skips nodes."""

Runner = tuple[str, Value, int]
"""Who runs up or down: `out`, `in` or `past`, the value, and the row that it leaves or enters."""


@dataclass
class Tracks:
    """Who runs where.

    Attributes:
      gaps: who runs in each gap, from left to right.
      past: who runs down the left margin past rows, from left to right.
      entering: who enters the first column of each row, from left to right, behind those that run past.
      channels: who runs below each row, from the top.
    """

    gaps: dict[Slot, list[Runner]] = field(default_factory=lambda: defaultdict(list))
    past: list[Runner] = field(default_factory=list)
    entering: dict[int, list[Runner]] = field(default_factory=lambda: defaultdict(list))
    channels: dict[int, list[Value]] = field(default_factory=lambda: defaultdict(list))

    @property
    def in_margin(self) -> int:
        """How many tracks the left margin has."""
        return len(self.past) + max(map(len, self.entering.values()), default=0)

    def margin_number(self, who: Runner) -> int:
        """The number of a track there."""
        kind, _, row = who
        return self.past.index(who) if kind == "past" else len(self.past) + self.entering[row].index(who)


def value_of(wire: Wire, skips: Set[Wire]) -> Value:
    """What a wire carries."""
    return wire.source, wire.output, wire in skips


def assigned(rows: Sequence[Row], wires: Sequence[Wire], skips: Set[Wire]) -> Tracks:
    """A track for each value in each gap, margin and channel that its wires need.

    Args:
      wires: those from one row to a later one.
      skips: those of them that skip nodes; they keep to the right, and so meet their target above the others.
    """
    places = place_of(rows)
    tracks = Tracks()
    for wire in sorted(wires, key=lambda wire: wire in skips):
        (source_row, source_column), (target_row, target_column) = places[wire.source], places[wire.target]
        value = value_of(wire, skips)
        _add(tracks.gaps[source_row, source_column], ("out", value, source_row))
        _add(tracks.channels[source_row], value)
        _add(tracks.channels[target_row - 1], value)
        entering = tracks.gaps[target_row, target_column - 1] if target_column else tracks.entering[target_row]
        _add(entering, ("in", value, target_row))
        if target_row - source_row > 1:
            _add(tracks.past, ("past", value, target_row))
    return tracks


def _add(where: list[Any], who: Any) -> None:
    if who not in where:
        where.append(who)
