"""Convolution over one to three space dimensions, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
from jax import lax

from framework.lowering.patches import convolve_patches, patch_bytes

Sides = str | Sequence[tuple[int, int]]
Pairs = tuple[tuple[int, int], ...]

_MOST_TAPS = 27
_MOST_PATCH_BYTES = 256 << 20


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
    sides = _sides(x, kernel, strides, padding, dilation)
    if groups == 1 and _prefers_patches(x, kernel, strides, sides):
        return convolve_patches(x, kernel, strides, sides, dilation)
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=strides,
        padding=padding,
        rhs_dilation=dilation,
        dimension_numbers=_axes(x.ndim - 2),
        feature_group_count=groups,
    )


def _prefers_patches(x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], sides: Pairs) -> bool:
    """Whether the product over patches is the better form: on the CPU, for small kernels whose patches fit in memory.

    A step of a three-layer network inside a loop took 733 ms with XLA's weight gradient and 24 ms with patches.
    """
    small = math.prod(kernel.shape[:-2]) <= _MOST_TAPS and patch_bytes(x, kernel, strides, sides) <= _MOST_PATCH_BYTES
    return small and jax.default_backend() == "cpu"


def _sides(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], padding: Sides, dilation: tuple[int, ...]
) -> Pairs:
    """The padding as (before, after) pairs."""
    if not isinstance(padding, str):
        return tuple((int(before), int(after)) for before, after in padding)
    reach = [gap * (taps - 1) + 1 for taps, gap in zip(kernel.shape[:-2], dilation, strict=True)]
    return tuple(lax.padtype_to_pads(x.shape[1:-1], reach, strides, padding))


def convolve_transposed(
    x: jax.Array, kernel: jax.Array, *, strides: tuple[int, ...], padding: Sides, dilation: tuple[int, ...]
) -> jax.Array:
    """Convolution of x [batch, *space, channels] with zeros put between its elements.

    `padding` is "SAME", "VALID" or a (before, after) pair for each space dimension of what the zeros have enlarged.
    """
    return lax.conv_transpose(
        x, kernel, strides=strides, padding=padding, rhs_dilation=dilation, dimension_numbers=_axes(x.ndim - 2)
    )
