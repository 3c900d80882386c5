"""Convolution as one matrix product over patches: the form that keeps its speed inside loops and under vmap on the CPU.

XLA's own weight gradient of a convolution becomes many times slower there when it stands inside a loop or is vectorised
over models. Here the shifted slices of the padded input are put side by side once and kept; the output and the weight
gradient are one matrix product each, and the input gradient is spread back by padding and adding.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.narrow import (
    bits,
    from_bits,
    in_tiles,
    narrows,
    product,
    product_over_rows,
    product_with_rows,
    rounded,
)

Sizes = tuple[int, ...]
Sides = tuple[tuple[int, int], ...]


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def convolve_patches(x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes) -> jax.Array:
    """Cross-correlation of x [batch, *space, channels] with kernel [*kernel, channels, features].

    Args:
      strides: step between output positions, one for each space dimension.
      sides: zeros (before, after) each space dimension.
      dilation: step between kernel taps, one for each space dimension.
    """
    return _forward(x, kernel, strides, sides, dilation)[0]


def patch_bytes(x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides) -> int:
    """About how many bytes the kept patches take."""
    space = [size + sum(side) for size, side in zip(x.shape[1:-1], sides, strict=True)]
    positions = math.prod(-(-size // step) for size, step in zip(space, strides, strict=True))
    return x.shape[0] * positions * math.prod(kernel.shape[:-1]) * x.dtype.itemsize


def _forward(
    x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes
) -> tuple[jax.Array, tuple[jax.Array, jax.Array, Sizes]]:
    matrix = kernel.reshape(-1, kernel.shape[-1])
    if not narrows(x, kernel):
        patches = patches_of(x, kernel.shape, strides, sides, dilation)
        return patches @ matrix, (patches, kernel, x.shape)
    tiles = in_tiles(x)
    patches = from_bits(patches_of(bits(rounded(x, tiles)), kernel.shape, strides, sides, dilation))
    y = product(patches.reshape(-1, patches.shape[-1]), rounded(matrix, tiles))
    return y.reshape(*patches.shape[:-1], -1).astype(x.dtype), (patches, kernel, x.shape)


def patches_of(x: jax.Array, kernel: Sizes, strides: Sizes, sides: Sides, dilation: Sizes) -> jax.Array:
    """What each output position sees: [batch, *space', taps · channels], for a kernel [*kernel, channels, features]."""
    padded = padded_input(x, sides)
    return jnp.concatenate([lax.slice(padded, *place) for place in places(padded.shape, kernel, strides, dilation)], -1)


def _backward(
    strides: Sizes, sides: Sides, dilation: Sizes, kept: tuple[jax.Array, jax.Array, Sizes], dy: jax.Array
) -> tuple[jax.Array, jax.Array]:
    patches, kernel, shape = kept
    channels = kernel.shape[-2]
    dkernel, spread = _products(patches, kernel, dy)
    zero = jnp.zeros((), dy.dtype)
    space = [size + sum(side) for size, side in zip(shape[1:-1], sides, strict=True)]
    padded = (shape[0], *space, channels)
    dx = jnp.zeros(padded, dy.dtype)
    for index, (start, limit, step) in enumerate(places(padded, kernel.shape, strides, dilation)):
        part = spread[..., index * channels : (index + 1) * channels]
        around = [(low, size - end, gap - 1) for low, size, end, gap in zip(start, padded, limit, step, strict=True)]
        dx = dx + lax.pad(part, zero, around)
    crop = [(0, 0, 0), *((-before, -after, 0) for before, after in sides), (0, 0, 0)]
    return lax.pad(dx, zero, crop), dkernel.reshape(kernel.shape)


def _products(patches: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The kernel's gradient, and what comes back to each patch."""
    rows, matrix = patches.reshape(-1, patches.shape[-1]), kernel.reshape(-1, kernel.shape[-1])
    if not narrows(dy, kernel):
        return rows.T @ dy.reshape(-1, dy.shape[-1]), dy @ matrix.T
    tiles = patches.dtype == jnp.bfloat16
    narrow = rounded(dy, tiles).reshape(-1, dy.shape[-1])
    spread = product_with_rows(narrow, rounded(matrix, tiles)).reshape(*dy.shape[:-1], -1).astype(dy.dtype)
    return product_over_rows(rows, narrow).astype(kernel.dtype), spread


def padded_input(x: jax.Array, sides: Sides) -> jax.Array:
    """x with zeros around its space."""
    if not any(before or after for before, after in sides):
        return x
    return jnp.pad(x, [(0, 0), *sides, (0, 0)])


def places(padded: Sizes, kernel: Sizes, strides: Sizes, dilation: Sizes) -> Iterator[tuple[Sizes, Sizes, Sizes]]:
    """(start, limit, step) of the slice that each tap of the kernel sees, taps in row-major order."""
    space, taps = padded[1:-1], kernel[:-2]
    counts = [
        (size - gap * (tap - 1) - 1) // step + 1
        for size, tap, step, gap in zip(space, taps, strides, dilation, strict=True)
    ]
    for tap in itertools.product(*map(range, taps)):
        start = [index * gap for index, gap in zip(tap, dilation, strict=True)]
        limit = [low + step * (count - 1) + 1 for low, step, count in zip(start, strides, counts, strict=True)]
        yield (0, *start, 0), (padded[0], *limit, padded[-1]), (1, *strides, 1)


convolve_patches.defvjp(_forward, _backward)
