"""Dropout: any shape -> same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from framework.core.counter import keep_mask
from framework.network.context import Context, TracedValue


def drop(x: jax.Array, rate: float | jax.Array, key: jax.Array, axis: str | None = None) -> jax.Array:
    """Sets each value to zero with probability `rate` and divides the rest by 1 - rate; a rate of 1 gives all zeros.

    Args:
      x: rows first.
      axis: name of the axis over which other devices do the same to rows of their own; together they drop what one
        device would.
    """
    kept = _kept(x.shape, 1 - rate, key, axis)
    # The divisor is guarded and not only masked: 1 / 0 behind a mask would still make gradients NaN.
    scale = 1 / jnp.where(jnp.asarray(rate) < 1, 1 - rate, 1)
    return x * jnp.where(kept, scale, 0).astype(x.dtype)


def _kept(shape: tuple[int, ...], probability: float | jax.Array, key: jax.Array, axis: str | None) -> jax.Array:
    first_row = 0 if axis is None or not shape else lax.axis_index(axis) * shape[0]
    return keep_mask(key, probability, shape, first_row)


class Dropout(nn.Module):
    """Random removal of values while training; see the schema of the same name."""

    rate: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        return drop(x, rate, self.make_rng("dropout"), context.axis)


def is_off(rate: float | jax.Array) -> bool:
    """Whether a rate is a plain zero, so that no random number need be drawn."""
    return isinstance(rate, int | float) and rate == 0
