"""The mean of some numbers as a mergeable state: their sum, with its rounding error, and how many they are."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from framework.objectives.metrics.sums import Sum, as_sum, empty_sum, plus


class Mean(NamedTuple):
    """The sum of some numbers, and how many they are (int32)."""

    total: Sum
    number: jax.Array


def empty_mean() -> Mean:
    """Of no numbers."""
    return Mean(empty_sum(), jnp.zeros((), jnp.int32))


def mean_of(values: jax.Array, counts: jax.Array) -> Mean:
    """Of the values where `counts` is true; the others may be anything."""
    return Mean(as_sum(jnp.sum(jnp.where(counts, values, 0))), jnp.sum(counts, dtype=jnp.int32))


def merged(one: Mean, other: Mean) -> Mean:
    """Of the numbers of both."""
    return Mean(plus(one.total, other.total), one.number + other.number)


def averaged(state: Mean) -> jax.Array:
    """The mean; NaN of no numbers."""
    return state.total.value / state.number
