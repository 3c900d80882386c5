"""What a layer keeps of earlier positions where sequences are given piece by piece, in the collection `cache`."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from framework.network.context import Decoding

CACHE = "cache"


def start_of(decoding: Decoding | None) -> int | jax.Array:
    """The place in time of the first position of a call."""
    return 0 if decoding is None else decoding.position


def extended(module: nn.Module, name: str, new: jax.Array, decoding: Decoding) -> jax.Array:
    """All positions so far of what was told under a name, the new ones among them; zeros where none is yet.

    Shapes: [batch, time, ...] -> [batch, length, ...].
    """
    whole = (new.shape[0], decoding.length, *new.shape[2:])
    held = module.variable(CACHE, name, jnp.zeros, whole, new.dtype)
    held.value = lax.dynamic_update_slice_in_dim(held.value, new, decoding.position, axis=1)
    return held.value


def carried(module: nn.Module, name: str, start: Callable[[], jax.Array]) -> nn.Variable:
    """The state after the positions so far; the layer reads its `value` and sets the next one.

    Args:
      start: makes the state before the first position.
    """
    return module.variable(CACHE, name, start)
