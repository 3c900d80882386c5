"""What is known of one call of a network while its graph is walked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from framework.config.language.graph import Node
from framework.network.context import Context


@dataclass(frozen=True)
class Visit:
    """One call of a node, as it was traced.

    Attributes:
      node: the node.
      where: the names under which its parameters are kept, from the network down.
      owns: the parameters are its own, not those of the node that it shares with.
      inputs: the shape and dtype of each input; None for one that is left out.
      output: likewise, of what it gives.
      copies: how many copies of it the program applies: the product of the scanned repeats around it.
      scans: how many of its parameters' leading axes count copies.
    """

    node: Node
    where: tuple[str, ...]
    owns: bool
    inputs: tuple[Any, ...]
    output: Any
    copies: int
    scans: int


@dataclass(frozen=True)
class Call:
    """Passed by Python closure through the whole graph.

    Attributes:
      context: what layers may know.
      probes: paths of the nodes whose outputs are asked for.
      visits: a list that every call of a node is put on, outer ones first; None where nobody asks.
      where: the names under which the parameters of the graph being walked are kept.
      owns: see `Visit`.
      givers: for each input of that graph, what it is, for messages.
      copies: see `Visit`.
      scans: see `Visit`.
    """

    context: Context = field(default_factory=Context)
    probes: frozenset[str] = frozenset()
    visits: list[Visit | None] | None = None
    where: tuple[str, ...] = ()
    owns: bool = True
    givers: tuple[str, ...] = ()
    copies: int = 1
    scans: int = 0
