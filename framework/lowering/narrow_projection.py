"""Affine maps whose products round their operands to bfloat16; see `narrow`."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp

from framework.lowering.narrow import product, product_over_rows, product_with_rows, rounded

Kept = tuple[jax.Array, jax.Array, jax.Array | None]


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def project_rounded(x: jax.Array, kernel: jax.Array, bias: jax.Array | None, axes: int, tiles: bool) -> jax.Array:
    """x [..., *inputs] times kernel [*inputs, *outputs] plus bias [*outputs], in the format of x.

    What comes back from behind is rounded too, for both products of the backward pass. `tiles`: see `narrow.in_tiles`.
    """
    return _forward(x, kernel, bias, axes, tiles)[0]


def _forward(x: jax.Array, kernel: jax.Array, bias: jax.Array | None, axes: int, tiles: bool) -> tuple[jax.Array, Kept]:
    rows = rounded(x, tiles).reshape(-1, math.prod(kernel.shape[:axes]))
    y = product(rows, _matrix(kernel, axes, tiles)).reshape(*x.shape[: x.ndim - axes], *kernel.shape[axes:])
    if bias is not None:
        y = y + bias
    return y.astype(x.dtype), (rows, kernel, bias)


def _backward(axes: int, tiles: bool, kept: Kept, dy: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    rows, kernel, bias = kept
    inputs, outputs = kernel.shape[:axes], kernel.shape[axes:]
    flat = dy.reshape(-1, math.prod(outputs))
    narrow = rounded(flat, tiles)
    dx = product_with_rows(narrow, _matrix(kernel, axes, tiles))
    dx = dx.reshape(*dy.shape[: dy.ndim - len(outputs)], *inputs)
    dkernel = product_over_rows(rows, narrow).reshape(kernel.shape)
    dbias = None if bias is None else flat.astype(jnp.float32).sum(0).reshape(outputs).astype(bias.dtype)
    return dx.astype(dy.dtype), dkernel.astype(kernel.dtype), dbias


def _matrix(kernel: jax.Array, axes: int, tiles: bool) -> jax.Array:
    return rounded(kernel, tiles).reshape(math.prod(kernel.shape[:axes]), -1)


project_rounded.defvjp(_forward, _backward)
