"""Sums and means over the real rows of a padded batch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def spread(mask: ArrayLike | None, shape: tuple[int, ...]) -> jax.Array:
    """The mask of rows repeated along the further axes of `shape`.

    Args:
      mask: [batch], or [batch, ...] with any number of leading axes of `shape`; None: all ones.

    Raises:
      ValueError: the mask's axes are not the leading axes of `shape`.
    """
    if mask is None:
        return jnp.ones(shape, jnp.float32)
    mask = jnp.asarray(mask)
    if mask.shape != shape[: mask.ndim]:
        raise ValueError(f"the mask has shape {list(mask.shape)}, which does not begin the values' shape {list(shape)}")
    return jnp.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape)


def masked_sum(values: ArrayLike, mask: ArrayLike | None) -> tuple[jax.Array, jax.Array]:
    """The sum of the values where the mask is 1, and how many these are; float32 scalars.

    Values where the mask is 0 may be anything, NaN included. A mask between 0 and 1 weighs.

    Args:
      values: [batch, ...].
      mask: [batch], or more leading axes of `values`; None: all ones.
    """
    values = jnp.asarray(values)
    weights = spread(mask, values.shape).astype(jnp.float32)
    return jnp.sum(jnp.where(weights > 0, values, 0) * weights), jnp.sum(weights)


def masked_mean(values: ArrayLike, mask: ArrayLike | None) -> jax.Array:
    """The mean of the values where the mask is 1; 0 where it is 0 throughout. Float32 scalar; see `masked_sum`."""
    total, count = masked_sum(values, mask)
    return total / jnp.where(count > 0, count, 1)
