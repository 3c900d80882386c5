"""Normalisation of each channel over the batch."""

from __future__ import annotations

from functools import partial

import jax
from jax import lax

from framework.lowering.moments import moments

Kept = tuple[jax.Array, jax.Array, jax.Array, jax.Array | None, bool]


@partial(jax.custom_vjp, nondiff_argnums=(4,))
def normalised_batch(
    x: jax.Array, near: jax.Array, scale: jax.Array | None, bias: jax.Array | None, epsilon: float
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """scale · (x - mean) / sqrt(var + epsilon) + bias over all axes of x but the last, in float32 or better.

    The backward pass reads x and the statistics, and no array of the size of x beside them:

        dx = scale factor (dy - mean(dy) - z mean(dy z)),  z = (x - mean) factor

    Args:
      x: [batch, ..., channels].
      near: [channels], a guess of the mean.
      scale, bias: [channels], or None.

    Returns:
      y as x; mean and biased variance, [channels], through which no gradient flows.
    """
    return _forward(x, near, scale, bias, epsilon)[0]


def _forward(
    x: jax.Array, near: jax.Array, scale: jax.Array | None, bias: jax.Array | None, epsilon: float
) -> tuple[tuple[jax.Array, jax.Array, jax.Array], Kept]:
    guess = near.reshape((1,) * (x.ndim - 1) + near.shape)
    mean, var, _ = moments(x, tuple(range(x.ndim - 1)), near=guess)
    mean, var = mean.reshape(near.shape), var.reshape(near.shape)
    factor = lax.rsqrt(var + epsilon)
    y = (x.astype(mean.dtype) - mean) * (factor if scale is None else factor * scale)
    if bias is not None:
        y = y + bias
    return (y, mean, var), (x, mean, factor, scale, bias is not None)


def _backward(
    epsilon: float, kept: Kept, given: tuple[jax.Array, jax.Array, jax.Array]
) -> tuple[jax.Array, None, jax.Array | None, jax.Array | None]:
    del epsilon
    x, mean, factor, scale, biased = kept
    dy = lax.optimization_barrier(given[0])
    z = (x.astype(mean.dtype) - mean) * factor
    total, along = _summed(dy), _summed(dy * z)
    count = x.size // x.shape[-1]
    dx = (factor if scale is None else factor * scale) * (dy - total / count - z * (along / count))
    return dx.astype(x.dtype), None, None if scale is None else along, total if biased else None


def _summed(x: jax.Array) -> jax.Array:
    """The sum over all axes but the last, example by example first: on the CPU twice as fast as at once."""
    return x.reshape(x.shape[0], -1, x.shape[-1]).sum(1).sum(0)


normalised_batch.defvjp(_forward, _backward)
