"""What a network section means once every mistake is found: a frozen, hashable graph of typed nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from framework.config.language.expression import Expression
from framework.config.language.frozen import FrozenMapping
from framework.config.schema.layers.base import LayerSpec

REGULARIZER = "kernel_regularizer"
"""The word of a node whose weights stand among its traced scalars, as `kernel_regularizer.l2`."""


@dataclass(frozen=True)
class Target:
    """A user's own module: what `_target_` names, called with `arguments`.

    Attributes:
      target: the import path `package.module.Name`, or, from Python, the class, function or module itself.
      arguments: keyword arguments by name; lists are tuples and mappings are `FrozenMapping`s.
      partial: the target itself is the function of arrays, with `arguments` bound.
      keywords: names under which the inputs are passed; empty where they are passed by position.
    """

    target: Any
    arguments: FrozenMapping
    partial: bool = False
    keywords: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What error messages call it."""
        return self.target if isinstance(self.target, str) else getattr(self.target, "__qualname__", repr(self.target))


@dataclass(frozen=True)
class Node:
    """One node of a graph.

    Attributes:
      name: its name among its siblings, which its parameters are kept under.
      path: the names from the network down to it, dotted: `stage1.conv1`. Unique; what probes are called by.
      key: the dotted config key that declares it. Nodes of a block are declared once and may stand in many places.
      op: the word that YAML uses: an operation, a block's name, a combinator, `expr` or `module`.
      body: what it computes.
      inputs: what it reads, in call order: the names of nodes or graph inputs, `node.output` for one output of
        several, None for an optional input that is left out.
      traced: (field, hyper key, default) of each argument that the compiled program takes as an input.
      repeat: how many copies with their own weights are applied one after another.
      remat: recompute its insides during the backward pass instead of keeping them.
      share: the sibling whose weights it uses.
      freeze: its parameters and statistics stay as they are.
    """

    name: str
    path: str
    key: str
    op: str
    body: LayerSpec | Expression | Target | Graph
    inputs: tuple[str | None, ...]
    traced: tuple[tuple[str, str, float], ...] = ()
    repeat: int = 1
    remat: bool = False
    share: str | None = None
    freeze: bool = False


@dataclass(frozen=True)
class Wrap:
    """How a combinator calls its layers, where that is more than walking through them once.

    Attributes:
      kind: `steps`, at each step of time; `backwards`, from the end of time; `members`, several times beside each
        other with weights of their own; `phase`, the node `train` or the node `eval`, by what the call is for.
      count: of members.
      merge: of members: `mean`, or `stack` along `axis`.
      axis: counted with the batch as 0.
    """

    kind: Literal["steps", "backwards", "members", "phase"]
    count: int = 1
    merge: str = "mean"
    axis: int = 1


@dataclass(frozen=True)
class Graph:
    """A network, or the body of a block or a combinator.

    Attributes:
      key: the dotted config key that declares it.
      inputs: names of its inputs, in call order.
      nodes: in the order of evaluation; a node reads inputs and earlier nodes only.
      outputs: (output name, node or input that gives it).
      wiring: (input name, key path of the batch array that feeds it); empty where the declaration names none.
      warnings: what is suspicious but not wrong, one sentence each.
      wrap: how it is called; None: once.
    """

    key: str
    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, str], ...]
    wiring: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    wrap: Wrap | None = None

    def walk(self) -> Iterator[Node]:
        """All nodes, each before those in its body."""
        for node in self.nodes:
            yield node
            if isinstance(node.body, Graph):
                yield from node.body.walk()

    @property
    def traced(self) -> dict[str, float]:
        """Hyper key -> value of every traced scalar."""
        return {key: value for node in self.walk() for _, key, value in node.traced}
