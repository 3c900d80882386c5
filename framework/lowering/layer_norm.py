"""Normalisation of the last axis."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.moments import moments


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def normalised_rows(x: jax.Array, scale: jax.Array | None, bias: jax.Array | None, epsilon: float) -> jax.Array:
    """scale · (x - mean) / sqrt(var + epsilon) + bias over the last axis of x, in the format of x.

    The backward pass reads x, the mean and the factor of each row, and no array of the size of x beside them:

        dx = factor (g - mean(g) - z mean(g z)),  g = scale dy,  z = (x - mean) factor

    Args:
      x: [..., features], float32 or wider.
      scale, bias: [features], or None.
    """
    return _forward(x, scale, bias, epsilon)[0]


def _forward(
    x: jax.Array, scale: jax.Array | None, bias: jax.Array | None, epsilon: float
) -> tuple[jax.Array, tuple[jax.Array, jax.Array, jax.Array, jax.Array | None, bool]]:
    mean, var, _ = moments(x, (x.ndim - 1,))
    factor = lax.rsqrt(var + epsilon)
    y = (x - mean) * factor
    if scale is not None:
        y = y * scale
    if bias is not None:
        y = y + bias
    return y, (x, mean, factor, scale, bias is not None)


def _backward(
    epsilon: float, kept: tuple[jax.Array, jax.Array, jax.Array, jax.Array | None, bool], dy: jax.Array
) -> tuple[jax.Array, jax.Array | None, jax.Array | None]:
    del epsilon
    x, mean, factor, scale, biased = kept
    dy = lax.optimization_barrier(dy)
    z = (x - mean) * factor
    rows = tuple(range(x.ndim - 1))
    g = dy if scale is None else dy * scale
    both = jnp.mean(g * z, -1, keepdims=True)
    dx = factor * (g - jnp.mean(g, -1, keepdims=True) - z * both)
    return dx, None if scale is None else jnp.sum(dy * z, rows), dy.sum(rows) if biased else None


normalised_rows.defvjp(_forward, _backward)
