"""Convolution over one to three space dimensions, channels last."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.choice import affords
from framework.lowering.convolution_form import convolution_form
from framework.lowering.depthwise import convolve_shifts
from framework.lowering.fft_convolution import convolve_fft
from framework.lowering.fft_worth import spectra_bytes
from framework.lowering.narrow import narrows, passed_back_rounded, rounded_through
from framework.lowering.patches import convolve_patches
from framework.lowering.rows_convolution import channels_last, convolve_rows, xla_convolution

Padding = str | Sequence[tuple[int, int]]
Pairs = tuple[tuple[int, int], ...]


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, ...],
    padding: Padding,
    dilation: tuple[int, ...],
    groups: int = 1,
) -> jax.Array:
    """Cross-correlation of x [batch, *space, channels] with kernel [*kernel, channels / groups, features].

    `padding` is "SAME", "VALID" or a (before, after) pair for each space dimension.
    """
    sides = _sides(x, kernel, strides, padding, dilation)
    form = convolution_form(x, kernel, strides, sides, dilation, groups)
    if form in ("xla", "rows") and x.dtype == jnp.float32 and narrows(x, kernel):
        x, kernel = rounded_through(x), rounded_through(kernel)
        return passed_back_rounded(_in_form(form, x, kernel, strides, sides, dilation, groups))
    return _in_form(form, x, kernel, strides, sides, dilation, groups)


def _in_form(
    form: str,
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, ...],
    sides: Pairs,
    dilation: tuple[int, ...],
    groups: int,
) -> jax.Array:
    if form == "shifts":
        return convolve_shifts(x, kernel, strides, sides, dilation)
    if form == "fft":
        keep = affords(spectra_bytes(x, kernel, sides))
        return convolve_fft(x, kernel, strides, sides, dilation, groups, keep)
    if form == "xla":
        return xla_convolution(x, kernel, strides, sides, dilation, groups)
    one = convolve_patches if form == "patches" else convolve_rows
    if groups == 1:
        return one(x, kernel, strides, sides, dilation)
    # Group by group, side by side: [groups, batch, *space, channels / groups] and [groups, *kernel, ..., features].
    parts = jnp.moveaxis(x.reshape(*x.shape[:-1], groups, -1), -2, 0)
    kernels = jnp.moveaxis(kernel.reshape(*kernel.shape[:-1], groups, -1), -2, 0)
    y = jnp.moveaxis(jax.vmap(lambda x, kernel: one(x, kernel, strides, sides, dilation))(parts, kernels), 0, -2)
    return y.reshape(*y.shape[:-2], -1)


def _sides(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], padding: Padding, dilation: tuple[int, ...]
) -> Pairs:
    """The padding as (before, after) pairs."""
    if not isinstance(padding, str):
        return tuple((int(before), int(after)) for before, after in padding)
    reach = [gap * (taps - 1) + 1 for taps, gap in zip(kernel.shape[:-2], dilation, strict=True)]
    return tuple(lax.padtype_to_pads(x.shape[1:-1], reach, strides, padding))


def convolve_transposed(
    x: jax.Array, kernel: jax.Array, *, strides: tuple[int, ...], padding: Padding, dilation: tuple[int, ...]
) -> jax.Array:
    """Convolution of x [batch, *space, channels] with zeros put between its elements.

    `padding` is "SAME", "VALID" or a (before, after) pair for each space dimension of what the zeros have enlarged.
    """
    return lax.conv_transpose(
        x, kernel, strides=strides, padding=padding, rhs_dilation=dilation, dimension_numbers=channels_last(x.ndim - 2)
    )
