"""What layers draw while training, each number by its place alone: the rows of a batch may lie on several devices."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax

from framework.core.counter import counter_bits, keep_mask

Sizes = tuple[int, ...]


def drawn_mask(shape: Sizes, probability: float | jax.Array, key: jax.Array, axis: str | None) -> jax.Array:
    """True with a probability, for each place of a shape with rows first.

    Args:
      axis: name of the axis over which other devices draw for rows of their own; together they draw what one would.
    """
    return keep_mask(key, probability, shape, _first_row(shape, axis))


def uniform_numbers(shape: Sizes, key: jax.Array, axis: str | None) -> jax.Array:
    """Numbers of the uniform law over [0, 1), in steps of 2^-24: float32 of a shape with rows first."""
    bits = counter_bits(key, shape, _first_row(shape, axis))
    return (bits >> 8).astype(jnp.float32) * 2.0**-24


def normal_numbers(shape: Sizes, key: jax.Array, axis: str | None) -> jax.Array:
    """Numbers of the normal law with mean 0 and variance 1: float32 of a shape with rows first."""
    bits = counter_bits(key, shape, _first_row(shape, axis))
    # 23 bits each, which float32 holds with half a step more, so that neither end of (0, 1) is reached.
    drawn = ((bits >> 9).astype(jnp.float32) + 0.5) * 2.0**-23
    return lax.erf_inv(2 * drawn - 1) * math.sqrt(2)


def _first_row(shape: Sizes, axis: str | None) -> int | jax.Array:
    return 0 if axis is None or not shape else lax.axis_index(axis) * shape[0]
