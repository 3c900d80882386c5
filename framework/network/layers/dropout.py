"""Dropout: any shape -> same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.network.context import Context, TracedValue


def drop(x: jax.Array, rate: float | jax.Array, key: jax.Array) -> jax.Array:
    """Sets each value to zero with probability `rate` and divides the rest by 1 - rate; a rate of 1 gives all zeros."""
    kept = jax.random.bernoulli(key, 1 - rate, x.shape)
    # The divisor is guarded and not only masked: 1 / 0 behind a mask would still make gradients NaN.
    scale = 1 / jnp.where(jnp.asarray(rate) < 1, 1 - rate, 1)
    return x * jnp.where(kept, scale, 0).astype(x.dtype)


class Dropout(nn.Module):
    """Random removal of values while training; see the schema of the same name."""

    rate: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        return drop(x, rate, self.make_rng("dropout"))


def is_off(rate: float | jax.Array) -> bool:
    """Whether a rate is a plain zero, so that no random number need be drawn."""
    return isinstance(rate, int | float) and rate == 0
