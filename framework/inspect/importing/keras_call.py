"""One call of one of Keras's layers, on its way to nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.inspect.importing.draft import Draft, Sources
from framework.inspect.importing.keras_arguments import Arguments


@dataclass(frozen=True)
class Tensor:
    """What a call gives: the node (`node.output` of several) and its shape with the batch, null where open."""

    node: str
    shape: tuple[int | None, ...] | None = None


@dataclass
class Call:
    """A call.

    Attributes:
      name: of the layer.
      arguments: of the layer.
      given: the tensors that it is called with, in order.
      named: those that it is called with by name.
      options: other words of the call, such as `use_causal_mask`.
      draft: where nodes are put.
      root: the whole network, where blocks are put.
      owner: the node of the layer's first call, whose weights this one uses.
      listed: the tensors came as one list, as those that are merged do.
    """

    name: str
    kind: str
    arguments: Arguments
    given: list[Tensor]
    draft: Draft
    root: Draft
    named: dict[str, Tensor | list[Tensor]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    listed: bool = False
    weights: str | None = None

    @property
    def source(self) -> str:
        """The node that a layer of one input reads."""
        if len(self.given) != 1:
            self.arguments.problem(f"called with {len(self.given)} tensors", "one tensor")
        return self.given[0].node if self.given else "input"

    @property
    def rank(self) -> int | None:
        """Number of axes of what it is given, the batch included; None where that is not known."""
        shape = self.given[0].shape if self.given else None
        return None if shape is None else len(shape)

    def plain(self, op: str, arguments: Any = None, sources: Sources | None = None) -> str:
        """A node without weights."""
        return self.draft.add(self.name, op, self.source if sources is None else sources, arguments)

    def weighted(
        self,
        op: str,
        arguments: Any,
        sources: Sources | None = None,
        *,
        penalty: Mapping[str, float] | None = None,
        activation: tuple[str, dict[str, Any]] | None = None,
    ) -> str:
        """A node with weights, those of the first call where this is not it, and perhaps an activation behind it."""
        sources = self.source if sources is None else sources
        if self.owner is not None:
            node = self.draft.add(self.name, op, sources, {}, share=self.owner)
        else:
            freeze = self.arguments.take("trainable", True) is False
            node = self.draft.add(self.name, op, sources, arguments, freeze=freeze, kernel_regularizer=penalty)
        self.weights = node
        return (
            node if activation is None else self.draft.add(f"{self.name}_{activation[0]}", *_turned(activation, node))
        )


def _turned(activation: tuple[str, dict[str, Any]], node: str) -> tuple[str, str, dict[str, Any]]:
    op, arguments = activation
    return op, node, arguments
