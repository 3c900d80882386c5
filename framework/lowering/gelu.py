"""The Gaussian error linear unit."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.choice import takes

_SLOPE = math.sqrt(8 / math.pi)
_CUBE = 0.044715 * _SLOPE


def gelu(x: jax.Array) -> jax.Array:
    """x · (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))) / 2, which is x · sigmoid(sqrt(8 / pi) (x + 0.044715 x³)).

    Form `xla` is `jax.nn.gelu`. Form `fused` keeps x alone and computes the gate again in the backward pass: each pass
    is one kernel, while a gate that both passes read, or a derivative that is kept, is written out and read again.

    Source: Hendrycks and Gimpel, arXiv:1606.08415.
    """
    if not takes("activation", "fused") or not jnp.issubdtype(x.dtype, jnp.floating):
        return jax.nn.gelu(x)
    return _gelu(x)


@jax.custom_vjp
def _gelu(x: jax.Array) -> jax.Array:
    return x * _gate(x, x * x)


def _gate(x: jax.Array, square: jax.Array) -> jax.Array:
    return jax.nn.sigmoid(x * (_SLOPE + _CUBE * square))


def _forward(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _gelu(x), x


def _backward(x: jax.Array, dy: jax.Array) -> tuple[jax.Array]:
    x = lax.optimization_barrier(x)  # else XLA finds that the gate was computed before, and keeps it after all
    square = x * x
    gate = _gate(x, square)
    return (dy * gate * (1 + x * (1 - gate) * (_SLOPE + 3 * _CUBE * square)),)


_gelu.defvjp(_forward, _backward)
