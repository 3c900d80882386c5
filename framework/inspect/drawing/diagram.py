"""What a drawing shows: nodes, the wires between them, and the levels that open into one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of text in a box: `name` is set bold, `op` is plain, `shape` is small."""

    text: str
    style: str


@dataclass(frozen=True)
class Wire:
    """A value on its way from one item to another of the same level.

    Attributes:
      source: key of the item.
      output: which of its outputs; empty where it gives one.
      target: key of the item.
      slot: the place among the target's inputs.
    """

    source: str
    output: str
    target: str
    slot: int


@dataclass(frozen=True)
class Item:
    """A node, an input or an output, as it is shown.

    Attributes:
      key: what it is called among its siblings; unique there.
      path: unique in the whole drawing.
      kind: a word of `KINDS`.
      lines: what stands in the box, or at the head of a frame.
      title: all that is known of it; lines of text.
      copies: how many follow each other or lie beside each other.
      passes: it gives what it is given, and may be part of a skip.
      folded: it holds nodes that are not shown.
      end: `input` or `output`, for an end of the level; empty for a node.
      inside: what it holds, where that is shown.
    """

    key: str
    path: str
    kind: str
    lines: tuple[Line, ...]
    title: str
    copies: int = 1
    passes: bool = False
    folded: bool = False
    end: str = ""
    inside: Level | None = None


@dataclass(frozen=True)
class Level:
    """The nodes of one graph with its inputs and outputs, in an order in which data may meet them."""

    items: tuple[Item, ...]
    wires: tuple[Wire, ...]

    def ends(self, which: str) -> list[Item]:
        """The inputs or the outputs, in order."""
        return [item for item in self.items if item.end == which]

    def walk(self) -> Iterator[Item]:
        """All items, each before those inside it."""
        for item in self.items:
            yield item
            if item.inside is not None:
                yield from item.inside.walk()


@dataclass(frozen=True)
class Diagram:
    """A whole network, as it is shown.

    Attributes:
      name: of the recipe.
      remark: parameters and operations of the network, in words.
      level: its nodes.
    """

    name: str
    remark: str
    level: Level
