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
    count_padding: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size, step, around = _windows(x, self.window, self.strides, self.padding)
        if self.count_padding:
            x, around = jnp.pad(x, [(0, 0), *around, (0, 0)]), ((0, 0),) * len(around)
        return avg_pool(x, size, step, around)


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


def _parts(x: jax.Array, size: int | Sizes) -> tuple[Sizes, Sizes | None]:
    """How many windows along each dimension, and their size where all are equal and do not overlap."""
    dims = space_dims(x, "adaptive pooling")
    counts = per_dimension(size, dims, "size")
    space = x.shape[1:-1]
    if any(n % parts for n, parts in zip(space, counts, strict=True)):
        return counts, None
    return counts, tuple(n // parts for n, parts in zip(space, counts, strict=True))


def _bounds(size: int, parts: int) -> list[tuple[int, int]]:
    """Where each window begins, and where it has ended."""
    return [(part * size // parts, -(-(part + 1) * size // parts)) for part in range(parts)]


class AdaptiveAvgPool(nn.Module):
    """Mean over parts of space; see the schema of the same name."""

    size: int | tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        counts, window = _parts(x, self.size)
        if window is not None:
            return avg_pool(x, window, window, ((0, 0),) * len(window))
        for axis, parts in enumerate(counts, start=1):
            means = [x[_at(axis, *ends)].mean(axis) for ends in _bounds(x.shape[axis], parts)]
            x = jnp.stack(means, axis)
        return x


class AdaptiveMaxPool(nn.Module):
    """Largest value in parts of space; see the schema of the same name."""

    size: int | tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        counts, window = _parts(x, self.size)
        if window is not None:
            return max_pool(x, window, window, ((0, 0),) * len(window))
        for axis, parts in enumerate(counts, start=1):
            x = jnp.stack([x[_at(axis, *ends)].max(axis) for ends in _bounds(x.shape[axis], parts)], axis)
        return x


def _at(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop))
