"""What a layer may know of the call it takes part in, besides its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax


@dataclass(frozen=True)
class TracedValue:
    """A scalar attribute of a layer that the compiled program takes as an input, such as a dropout rate.

    Attributes:
      key: its dotted config key, under which `hyper` may hold a value.
      default: the value used where `hyper` has none.
    """

    key: str
    default: float


@dataclass(frozen=True)
class Decoding:
    """A call that goes on with sequences of which earlier positions are kept in the collection `cache`.

    Attributes:
      position: int32 scalar, the place in time of the first position of this call's inputs.
      length: how many positions the cache has room for; the call's last one must be below it.
    """

    position: jax.Array
    length: int


@dataclass(frozen=True)
class Context:
    """Passed by Python closure to every layer: `layer(x, context=context)`.

    Attributes:
      train: whether this call trains (dropout draws, batch norm updates its statistics).
      mask: [batch] float32, 1 for real rows and 0 for padding; None when all rows are real.
      hyper: traced scalars by config key.
      axis: name of the axis over which other devices compute with rows of their own (see `jax.lax.psum`); None: the
        batch is whole.
      weights: (where parameters stand, one copy of them) -> the same as layers use them. Where parameters are divided
        among devices it brings them together, within a repeated node copy by copy; None: they are whole.
      decoding: where sequences are given piece by piece; None: they are whole.
      frozen: statistics are those that were kept, and stay as they are, also while training.
    """

    train: bool = False
    mask: jax.Array | None = None
    hyper: Mapping[str, jax.Array] = field(default_factory=dict)
    axis: str | None = None
    weights: Callable[[tuple[str, ...], Any], Any] | None = None
    decoding: Decoding | None = None
    frozen: bool = False

    def value(self, item: float | TracedValue) -> float | jax.Array:
        """The scalar to compute with: the traced one where `hyper` holds it, else the default."""
        if isinstance(item, TracedValue):
            return self.hyper.get(item.key, item.default)
        return item
