"""Convolution by XLA, its weight gradient by patches of a few rows of the batch at a time.

XLA's convolution forward and for the input gradient keeps its speed inside loops on the CPU; its weight gradient does
not. Here nothing but the input is kept until the backward pass, where the patches of as many rows as fit are made, used
in one matrix product and dropped.
"""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.patches import Sides, Sizes, patch_bytes, patches_of

_MOST_BYTES = 4 << 20


def channels_last(dims: int) -> tuple[str, str, str]:
    """How x, kernel and result lie, as XLA is told."""
    space = "DHW"[-dims:]
    return f"N{space}C", f"{space}IO", f"N{space}C"


def xla_convolution(
    x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes, groups: int = 1
) -> jax.Array:
    """Cross-correlation of x [batch, *space, channels] with kernel [*kernel, channels / groups, features]."""
    return lax.conv_general_dilated(
        x,
        kernel,
        strides,
        sides,
        rhs_dilation=dilation,
        dimension_numbers=channels_last(x.ndim - 2),
        feature_group_count=groups,
    )


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def convolve_rows(x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes) -> jax.Array:
    """Cross-correlation of x [batch, *space, channels] with kernel [*kernel, channels, features].

    Args:
      strides: step between output positions, one for each space dimension.
      sides: zeros (before, after) each space dimension.
      dilation: step between kernel taps, one for each space dimension.
    """
    return xla_convolution(x, kernel, strides, sides, dilation)


def _forward(
    x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return xla_convolution(x, kernel, strides, sides, dilation), (x, kernel)


def _backward(
    strides: Sizes, sides: Sides, dilation: Sizes, kept: tuple[jax.Array, jax.Array], dy: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = kept
    dx = jax.linear_transpose(lambda x: xla_convolution(x, kernel, strides, sides, dilation), x)(dy)[0]

    def part(x: jax.Array, dy: jax.Array) -> jax.Array:
        patches = patches_of(x, kernel.shape, strides, sides, dilation)
        rows = patches.reshape(-1, patches.shape[-1])
        return lax.dot_general(rows, dy.reshape(-1, dy.shape[-1]), (((0,), (0,)), ((), ())))

    count = _parts(x.shape[0], patch_bytes(x, kernel, strides, sides))
    if count == 1:
        return dx, part(x, dy).reshape(kernel.shape)
    split = x.reshape(count, -1, *x.shape[1:]), dy.reshape(count, -1, *dy.shape[1:])

    def body(total: jax.Array, rows: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        return total + part(*rows), None

    flat = jnp.zeros((math.prod(kernel.shape[:-1]), kernel.shape[-1]), dy.dtype)
    return dx, lax.scan(body, flat, split)[0].reshape(kernel.shape)


def _parts(batch: int, nbytes: int) -> int:
    """Into how many equal parts the batch goes, so that the patches of each stay small."""
    wanted = -(-nbytes // _MOST_BYTES)
    return next(count for count in range(1, batch + 1) if batch % count == 0 and count >= min(wanted, batch))


convolve_rows.defvjp(_forward, _backward)
