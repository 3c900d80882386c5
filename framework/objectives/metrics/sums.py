"""A real sum over millions of rows in float32: the sum so far and, beside it, what rounding has dropped.

Once a float32 sum is 2**24 times a new number, that number vanishes in it. Here each addition recovers its rounding
error exactly, with five more additions, and keeps it in a second float32, so the pair holds about 48 bits. Merging two
pairs is the same operation.

Source: Knuth, The Art of Computer Programming, volume 2, 4.2.2, theorem B.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


class Sum(NamedTuple):
    """The unevaluated sum `high + low`, with `low` at most half a unit in the last place of `high`."""

    high: jax.Array
    low: jax.Array

    @property
    def value(self) -> jax.Array:
        """The sum, rounded once."""
        return self.high + self.low


def empty_sum(shape: tuple[int, ...] = ()) -> Sum:
    """Zero."""
    return Sum(jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.float32))


def as_sum(value: ArrayLike) -> Sum:
    """One number as a sum."""
    value = jnp.asarray(value, jnp.float32)
    return Sum(value, jnp.zeros_like(value))


def plus(one: Sum, other: Sum) -> Sum:
    """The sum of two sums, with a relative error of about 2**-45."""
    high, dropped = _two_sum(one.high, other.high)
    return Sum(*_two_sum(high, dropped + (one.low + other.low)))


def _two_sum(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    # The order of these additions must not change: the second result is exactly what the first one rounded away.
    total = a + b
    b_part = total - a
    a_part = total - b_part
    # An infinite sum has no rounding error; inf - inf would make it NaN.
    dropped = (a - a_part) + (b - b_part)
    return total, jnp.where(jnp.isfinite(total), dropped, 0)
