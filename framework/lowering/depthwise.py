"""Convolution of each channel on its own, as a sum of shifted and weighted inputs.

XLA computes the weight gradient of such a convolution on the CPU as one with a kernel for each pair of channels, of
which all but the diagonal is thrown away.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.patches import Sides, Sizes, padded_input, places


def convolve_shifts(x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes) -> jax.Array:
    """Each channel of x [batch, *space, channels] with its own taps of kernel [*kernel, 1, channels · multiplier].

    Output channel c · multiplier + m reads channel c.
    """
    padded = padded_input(x, sides)
    multiplier = kernel.shape[-1] // x.shape[-1]
    if multiplier > 1:
        padded = jnp.repeat(padded, multiplier, axis=-1)
    taps = kernel.reshape(-1, kernel.shape[-1])
    total: jax.Array | None = None
    for tap, place in zip(taps, places(padded.shape, kernel.shape, strides, dilation), strict=True):
        part = lax.slice(padded, *place) * tap
        total = part if total is None else total + part
    assert total is not None  # a kernel has a tap
    return total
