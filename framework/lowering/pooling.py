"""Largest value and mean over windows of space, channels last.

Windows that tile the space are reduced as axes of a reshaped array. In the general form, `lax.reduce_window`, the
gradient of the maximum is a select-and-scatter, which XLA runs element by element on the CPU.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from framework.lowering.choice import AUTO, asked, takes
from framework.lowering.shifted_pooling import max_of_shifts

_MOST_TAPS = 27

Sizes = tuple[int, ...]
Sides = tuple[tuple[int, int], ...]


def max_pool(x: jax.Array, window: Sizes, strides: Sizes, sides: Sides) -> jax.Array:
    """Largest value of each window of x [batch, *space, channels]; `sides` are (before, after) elements of padding."""
    lowest = -jnp.inf if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.iinfo(x.dtype).min
    small = math.prod(window) <= _MOST_TAPS and jnp.issubdtype(x.dtype, jnp.inexact)
    if small and takes("pooling", "shifts"):
        return max_of_shifts(x, window, strides, sides)
    tiles = _tiles(x, window, strides, sides, lowest) if asked("pooling") in (AUTO, "tiles") else None
    if tiles is not None:
        return tiles.max(_inner_axes(len(window)))
    return lax.reduce_window(x, np.asarray(lowest, x.dtype), lax.max, (1, *window, 1), (1, *strides, 1), _around(sides))


def avg_pool(x: jax.Array, window: Sizes, strides: Sizes, sides: Sides) -> jax.Array:
    """Mean of each window of x [batch, *space, channels]; padding does not count."""
    tiles = _tiles(x, window, strides, sides, 0)
    if tiles is not None:
        total = tiles.sum(_inner_axes(len(window)))
    else:
        total = lax.reduce_window(x, np.zeros((), x.dtype), lax.add, (1, *window, 1), (1, *strides, 1), _around(sides))
    if not any(before or after for before, after in sides):
        return total / math.prod(window)
    return total / _counts(x.shape[1:-1], window, strides, sides).astype(x.dtype)


def _around(sides: Sides) -> list[tuple[int, int]]:
    return [(0, 0), *sides, (0, 0)]


def _inner_axes(dims: int) -> Sizes:
    return tuple(range(2, 2 + 2 * dims, 2))


def _tiles(x: jax.Array, window: Sizes, strides: Sizes, sides: Sides, padding: float) -> jax.Array | None:
    """x as [batch, windows, window, windows, window, ..., channels], or None where windows overlap or leave gaps."""
    if window != strides:
        return None
    if any(before or after for before, after in sides):
        x = jnp.pad(x, _around(sides), constant_values=padding)
    counts = tuple(size // step for size, step in zip(x.shape[1:-1], window, strict=True))
    whole = tuple(slice(count * step) for count, step in zip(counts, window, strict=True))
    split = [size for pair in zip(counts, window, strict=True) for size in pair]
    return x[(slice(None), *whole)].reshape(x.shape[0], *split, x.shape[-1])


def _counts(space: Sizes, window: Sizes, strides: Sizes, sides: Sides) -> np.ndarray:
    """How many elements of each window lie inside of the array: [1, *windows, 1]."""
    counts = np.ones((1,) * (len(space) + 2))
    for axis, (size, reach, step, (before, after)) in enumerate(zip(space, window, strides, sides, strict=True)):
        starts = np.arange((size + before + after - reach) // step + 1) * step - before
        inside = np.minimum(starts + reach, size) - np.maximum(starts, 0)
        counts = counts * inside.reshape([-1 if axis + 1 == other else 1 for other in range(counts.ndim)])
    return counts
