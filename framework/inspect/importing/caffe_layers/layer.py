"""What a layer of Caffe is while it is converted: what it reads, what it gives, and its weights, shared or frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from framework.inspect.importing.caffe_fields import Fields
from framework.inspect.importing.draft import Draft, Shape


@dataclass(frozen=True)
class Blob:
    """What a layer gives.

    Attributes:
      node: the node that computes it; empty for an input of the file until something reads it.
      shape: of one example in Caffe's order, channels first; None where it is not known.
      given: the name of the input that it is.
      broken: something is wrong with the layer that gives it, which is told already.
    """

    node: str
    shape: tuple[int, ...] | None
    given: str = ""
    broken: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape, where it is known to be."""
        assert self.shape is not None
        return self.shape

    def channels_last(self) -> Shape:
        """The shape of one example as this framework has it."""
        return (*self.sizes[1:], self.sizes[0]) if len(self.sizes) > 1 else self.sizes


@dataclass
class Layer:
    """A layer while it is converted.

    Attributes:
      shared: names of weights -> the node that has them, its operation and arguments; one for the whole file.
      affine: the Scale that belongs to a BatchNorm.
      multiplied: its learning rates are not all 1.
    """

    name: str
    kind: str
    bottoms: list[str]
    tops: list[str]
    fields: Fields
    draft: Draft
    shared: dict[tuple[str, ...], tuple[str, str, Any]]
    blobs: list[Blob] = field(default_factory=list)
    affine: Layer | None = None
    multiplied: bool = False

    def add(self, op: str, source: Any, arguments: Any = None, *, name: str | None = None, **words: Any) -> str:
        """Put a node into the network; gives its name."""
        return self.draft.add(name or self.name, op, source, arguments, **words)

    def one(self, op: str, arguments: dict[str, Any] | None = None) -> list[Blob]:
        """A node that keeps the shape of the one bottom."""
        (blob,) = self.blobs
        return [Blob(self.add(op, blob.node, arguments), blob.shape)]

    def weighted(self, op: str, source: str, arguments: dict[str, Any], *, blobs: int) -> str | None:
        """A node with weights, of which `blobs` is the number; `param` entries may share or freeze them."""
        names, rates = weights_declared(self)
        owner = None
        if any(names):
            key = tuple(names)
            for other, (node, kind, same) in self.shared.items():
                if other == key and (kind, same) == (op, arguments):
                    owner = node
                elif set(filter(None, other)) & set(filter(None, key)):
                    self.fields.problem(
                        f"shares some of its weights ({', '.join(filter(None, names))}) with '{node}'",
                        "all of them, in a layer of the same type and parameters",
                    )
                    return None
        frozen = len(rates) >= blobs and not any(rate for rate, _ in rates)
        if not frozen and any(pair != (1.0, 1.0) for pair in rates):
            self.multiplied = True
        if owner is not None:
            return self.add(op, source, {}, share=owner)
        node = self.add(op, source, arguments, freeze=frozen)
        if any(names):
            self.shared[tuple(names)] = (node, op, arguments)
        return node


def weights_declared(layer: Layer) -> tuple[list[str], list[tuple[float, float]]]:
    """The names of a layer's weights, and (lr_mult, decay_mult) of each, in either way to write them."""
    entries = layer.fields.submessages("param")
    names = [str(entry.one("name", "")) for entry in entries]
    rates = [(entry.one("lr_mult", 1.0), entry.one("decay_mult", 1.0)) for entry in entries]
    for entry in entries:
        entry.one("share_mode", "STRICT")
        entry.refuse_rest()
    if not entries and layer.fields.has("param"):
        names = [str(name) for name in layer.fields.many("param")]
    old = [float(rate) for rate in layer.fields.many("blobs_lr")]
    decays = [float(rate) for rate in layer.fields.many("weight_decay")]
    if old or decays:
        count = max(len(old), len(decays))
        old, decays = old + [1.0] * (count - len(old)), decays + [1.0] * (count - len(decays))
        rates = list(zip(old, decays, strict=True))
    return names, rates
