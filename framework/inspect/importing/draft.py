"""A network while it is read from another framework's file: nodes in order, outputs, blocks, remarks, problems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.core.errors import Problem

Sources = str | list[str] | dict[str, str]
Shape = tuple[int | None, ...]

_NO_LETTER = re.compile(r"\W")


@dataclass(frozen=True)
class Input:
    """What a network is given.

    Attributes:
      shape: of one example, in this framework's order of axes; None for a size that may vary.
      dtype: `float32` or `int32`.
    """

    shape: Shape
    dtype: str = "float32"

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(['batch', *('?' if size is None else str(size) for size in self.shape)])}]"


@dataclass(frozen=True)
class Drafted:
    """A node: its operation, the arguments of it, what it reads, and the words around it, such as `share`."""

    op: str
    arguments: Any
    sources: Sources
    words: Mapping[str, Any]

    def reads(self) -> Iterable[str]:
        """The names of what it reads, without the `.output` of one of several."""
        given = self.sources
        every = [given] if isinstance(given, str) else given.values() if isinstance(given, dict) else given
        return [name.partition(".")[0] for name in every]


@dataclass
class Draft:
    """A network, or a block of it, as far as it is read.

    Attributes:
      inputs: by name; nodes call the only one of a network `input`.
      nodes: by name, in order.
      outputs: (output name, node that gives it).
      blocks: other networks that nodes use as operations.
      remarks: what was left out or is not the same, one sentence each.
      problems: what cannot be kept.
    """

    inputs: dict[str, Input] = field(default_factory=dict)
    nodes: dict[str, Drafted] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, Draft] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, name: str, op: str, sources: Sources, arguments: Any = None, **words: Any) -> str:
        """Put a node behind the others; gives the name under which it stands, which may differ from `name`."""
        free = node_name(name, {*self.nodes, *self.inputs, "input"})
        kept = {word: value for word, value in words.items() if value not in (None, False)}
        self.nodes[free] = Drafted(op, {} if arguments is None else arguments, sources, kept)
        return free

    def remark(self, sentence: str) -> None:
        """Say something in the header of what is written; once only."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def read_by_others(self) -> set[str]:
        """The names of all nodes and inputs that some node reads."""
        return {name for node in self.nodes.values() for name in node.reads()}


def node_name(wanted: str, taken: Iterable[str]) -> str:
    """A name of the network language that is as close as can be to `wanted` and not taken."""
    name = _NO_LETTER.sub("_", wanted)
    if not re.match(r"[A-Za-z]", name):
        name = f"layer_{name.lstrip('_')}" if name.strip("_") else "layer"
    taken, count, free = set(taken), 2, name
    while free in taken:
        free, count = f"{name}_{count}", count + 1
    return free
