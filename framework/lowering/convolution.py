"""Convolution over one to three space dimensions, channels last."""

from __future__ import annotations

from collections.abc import Sequence

import jax
from jax import lax

Sides = str | Sequence[tuple[int, int]]


def _axes(dims: int) -> tuple[str, str, str]:
    space = "DHW"[-dims:]
    return f"N{space}C", f"{space}IO", f"N{space}C"


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, ...],
    padding: Sides,
    dilation: tuple[int, ...],
    groups: int = 1,
) -> jax.Array:
    """Cross-correlation of x [batch, *space, channels] with kernel [*kernel, channels / groups, features].

    `padding` is "SAME", "VALID" or a (before, after) pair for each space dimension.
    """
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=strides,
        padding=padding,
        rhs_dilation=dilation,
        dimension_numbers=_axes(x.ndim - 2),
        feature_group_count=groups,
    )


def convolve_transposed(
    x: jax.Array, kernel: jax.Array, *, strides: tuple[int, ...], padding: str, dilation: tuple[int, ...]
) -> jax.Array:
    """Convolution of x [batch, *space, channels] with zeros put between its elements.

    `padding` is "SAME" or "VALID".
    """
    return lax.conv_transpose(
        x, kernel, strides=strides, padding=padding, rhs_dilation=dilation, dimension_numbers=_axes(x.ndim - 2)
    )
