"""Pooling: [batch, *space, channels] -> [batch, *space', channels], or [batch, channels] for the global ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.lowering.pooling import avg_pool, max_pool
from framework.network.context import Context
from framework.network.layers.space import Padding, Sides, per_dimension, sides, space_dims

Sizes = tuple[int, ...]


def _windows(
    x: jax.Array, window: int | Sizes, strides: int | Sizes | None, padding: Padding
) -> tuple[Sizes, Sizes, Sides]:
    dims = space_dims(x, "a pooling window")
    size = per_dimension(window, dims, "window")
    step = size if strides is None else per_dimension(strides, dims, "strides")
    around = sides(padding, x.shape[1:-1], size, step, "a window")
    if any(max(pair) >= reach for pair, reach in zip(around, size, strict=True)):
        raise ValueError(
            f"found padding {[list(pair) for pair in around]}, a window of {list(size)} could hold padding alone; "
            "pad by less than the window"
        )
    return size, step, around


class MaxPool(nn.Module):
    """Largest value in each window; see the schema of the same name."""

    window: int | tuple[int, ...] = 2
    strides: int | tuple[int, ...] | None = None
    padding: Padding = "valid"

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return max_pool(x, *_windows(x, self.window, self.strides, self.padding))


class AvgPool(nn.Module):
    """Mean of each window; see the schema of the same name."""

    window: int | tuple[int, ...] = 2
    strides: int | tuple[int, ...] | None = None
    padding: Padding = "valid"

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return avg_pool(x, *_windows(x, self.window, self.strides, self.padding))


class GlobalAvgPool(nn.Module):
    """Mean over all space dimensions; see the schema of the same name."""

    keep_dims: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.mean(x, _space_axes(x), keepdims=self.keep_dims)


class GlobalMaxPool(nn.Module):
    """Largest value over all space dimensions; see the schema of the same name."""

    keep_dims: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.max(x, _space_axes(x), keepdims=self.keep_dims)


def _space_axes(x: jax.Array) -> Sizes:
    return tuple(range(1, 1 + space_dims(x, "global pooling")))
