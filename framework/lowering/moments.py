"""Mean and variance in one pass over the data."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax


def moments(
    x: jax.Array,
    axes: tuple[int, ...],
    *,
    weights: jax.Array | None = None,
    near: jax.Array | None = None,
    over: str | None = None,
) -> tuple[jax.Array, jax.Array, jax.Array | float]:
    """Mean and biased variance over some axes, in float32 or better.

    var = E[(x - s)²] - (E[x] - s)² holds for every s, so that one pass over x suffices. With s near the data the
    difference does not cancel when the mean is large against the spread, as it does with s = 0.

    Args:
      x: any array.
      axes: the axes to average over, from the front.
      weights: 1 for what counts and 0 for what does not, of the rank of x with sizes equal or 1.
      near: a guess of the mean, of the rank of x with sizes equal or 1. None: the first element along the axes, which
        must then not be divided among devices.
      over: name of an axis over which other devices hold more of x; they must agree on `near`.

    Returns:
      mean, variance (the averaged axes kept with size 1) and how many elements each of them stands on. All are 0
      where nothing counts.
    Source: Chan, Golub and LeVeque, The American Statistician 37 (1983), section 3.
    """
    x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    if near is None:
        near = x[tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(x.ndim))]
    shift = lax.stop_gradient(near).astype(x.dtype)
    distance = x - shift
    if weights is None:
        count = float(math.prod(x.shape[axis] for axis in axes)) * (1 if over is None else lax.axis_size(over))
        # The squares first: in the other order XLA's CPU compiler repeats work in the gradient, and a transformer of
        # four layers takes 1.7 times as long.
        squares = _everywhere(jnp.square(distance).sum(axes, keepdims=True), over)
        total = _everywhere(distance.sum(axes, keepdims=True), over)
        mean, square = total / count, squares / count
        return mean + shift, jnp.maximum(square - jnp.square(mean), 0), count
    weights = weights.astype(x.dtype)
    repeats = math.prod(x.shape[axis] for axis in axes if weights.shape[axis] == 1)
    count = _everywhere(weights.sum(axes, keepdims=True) * repeats, over)
    divisor = jnp.maximum(count, 1)
    mean = _everywhere((distance * weights).sum(axes, keepdims=True), over) / divisor
    square = _everywhere((jnp.square(distance) * weights).sum(axes, keepdims=True), over) / divisor
    some = count > 0
    return jnp.where(some, mean + shift, 0), jnp.maximum(square - jnp.square(mean), 0), count


def _everywhere(total: jax.Array, over: str | None) -> jax.Array:
    return total if over is None else lax.psum(total, over)
