"""Which experts a position uses, by the probabilities that a router gives: [..., experts]."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


def chosen(probabilities: jax.Array, top_k: int) -> jax.Array:
    """True for the top_k largest of the last axis; of equal ones, the first.

    An entry is chosen where fewer than top_k others are before it. Compared like this, it is a sum over one axis, which
    XLA divides over devices as it divides the rest; a sort it may bring together first.
    """
    own, other = probabilities[..., :, None], probabilities[..., None, :]
    experts = probabilities.shape[-1]
    earlier = jnp.arange(experts)[None, :] < jnp.arange(experts)[:, None]
    before = (other > own) | ((other == own) & earlier)
    return before.sum(-1) < top_k


def weighted(probabilities: jax.Array, chosen: jax.Array, *, normalize: bool) -> jax.Array:
    """The probabilities of what is chosen and 0 elsewhere; with `normalize` they sum to one."""
    weights = jnp.where(chosen, probabilities, 0)
    if not normalize:
        return weights
    total = weights.sum(-1, keepdims=True)
    return weights / jnp.where(total > 0, total, 1)


def slots(chosen: jax.Array, capacity: int) -> jax.Array:
    """The slot that a position has with each expert that it chose: [batch, time, experts, capacity], one-hot.

    Slots are given in the order of positions; where none is left there are zeros. What a position gets thus depends on
    earlier ones alone.

    Args:
      chosen: [batch, time, experts] booleans.
      capacity: slots of each expert in each example.
    """
    place = jnp.cumsum(chosen, axis=1, dtype=jnp.int32) - 1
    return chosen[..., None] & (place[..., None] == jnp.arange(capacity))


def counted(chosen: jax.Array, weights: jax.Array, axis: str | None) -> tuple[jax.Array, jax.Array]:
    """The share of all choices that falls on each expert, and the sum of the positions' weights.

    Args:
      chosen: [batch, ..., experts] booleans.
      weights: [batch, ...], 1 for positions that count and 0 for others.
      axis: name of the axis over which other devices have positions of their own.
    """
    over = tuple(range(weights.ndim))
    choices = jnp.sum(chosen * weights[..., None], over)
    positions = jnp.sum(weights)
    if axis is not None:
        choices, positions = lax.psum((choices, positions), axis)
    total = choices.sum()
    return choices / jnp.where(total > 0, total, 1), positions
