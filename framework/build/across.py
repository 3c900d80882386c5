"""Sums, means and merges over the devices of a named axis, each of which sees rows of its own.

Without an axis (None) all of them are what they would be on one device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from framework.objectives import masked_mean
from framework.objectives.masks import masked_sum


def summed_over(axis: str | None, tree: Any) -> Any:
    """The sum over all devices, in one reduction for the whole tree."""
    return tree if axis is None else lax.psum(tree, axis)


def share_of_mean(values: jax.Array, mask: jax.Array | None, axis: str | None) -> jax.Array:
    """What the rows of this device add to the mean over all rows that count; the shares of all devices sum to it.

    Args:
      values: [batch, ...]; as many rows on each device.
      mask: as for `masked_mean`, or None: all count.
    """
    if axis is None:
        return values.mean() if mask is None else masked_mean(values, mask)
    if mask is None:
        return values.mean() / lax.axis_size(axis)
    # A device may have nothing but padding, so only the count over all of them is divided by.
    total, count = masked_sum(values, mask)
    every = lax.psum(count, axis)
    return total / jnp.where(every > 0, every, 1)


def merged_over(axis: str, merge: Callable[[Any, Any], Any], state: Any) -> Any:
    """The states of all devices merged into one, in the order of the axis."""
    states = lax.all_gather(state, axis)

    def body(index: jax.Array, merged: Any) -> Any:
        return merge(merged, jax.tree.map(lambda leaf: leaf[index], states))

    return lax.fori_loop(1, lax.axis_size(axis), body, jax.tree.map(lambda leaf: leaf[0], states))
