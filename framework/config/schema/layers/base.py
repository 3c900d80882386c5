"""The base of every layer's schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from framework.config.schema.base import Spec


class LayerSpec(Spec):
    """The arguments of one operation of the network language.

    Class attributes:
      op: the word that YAML uses, e.g. `conv`.
      inputs: names of the inputs in call order; a name ending in `?` may be left out. None: any number (at least one),
        all of one kind, as for `add` and `concat`.
      shape: the shapes in and out, as the documentation prints them, e.g. `[batch, features] -> [batch, units]`. It has
        no default here, so that a field may have this name too (see `reshape`).
      borrows: names of parameters that it reads from the node whose weights it shares, and is called with after its
        inputs; it has none of its own then.
      several: gives several outputs, which others read as `node.0`, `node.1` and so on.
      stochastic: draws random numbers while training.
      stateful: keeps statistics that training updates.
    """

    op: ClassVar[str]
    inputs: ClassVar[tuple[str, ...] | None] = ("x",)
    shape: ClassVar[str]
    borrows: ClassVar[tuple[str, ...]] = ()
    several: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    stateful: ClassVar[bool] = False

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def output_names(cls, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """What its outputs are called, which others read as `node.name`; empty where it gives one.

        Args:
          arguments: those that are given.
        """
        del arguments
        return ()

    def arguments(self) -> dict[str, Any]:
        """All fields as keyword arguments for the Flax module of the same name."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class SameShape(LayerSpec):
    """An operation that takes an array of any shape and gives one of the same."""

    shape: ClassVar[str] = "any -> same"
