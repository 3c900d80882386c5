"""Which form a convolution takes.

xla      XLA's own
patches  one matrix product over patches that are kept: the fastest on the CPU for few taps, inside loops and out
rows     XLA's own, but the weight gradient by patches that are made again: keeps its speed inside loops too
shifts   for depthwise ones: a sum of shifted and weighted inputs
fft      a product of spectra, for many taps
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from framework.lowering.choice import AUTO, affords, asked, platform, whole
from framework.lowering.fft_worth import spectra_bytes, spectra_pay
from framework.lowering.patches import Sides, Sizes, patch_bytes

_MOST_TAPS = 27


def convolution_form(
    x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes, groups: int
) -> str:
    """Elsewhere XLA's own; on the CPU spectra where they are cheaper, patches for small kernels, if memory keeps them.

    A step of a three-layer network inside a loop took 733 ms with XLA's weight gradient and 24 ms with patches. Arrays
    that are divided over devices are not transformed, since XLA gathers them for it.
    """
    form = asked("convolution")
    depthwise = groups == x.shape[-1] > 1
    if form != AUTO:
        return form if depthwise or form != "shifts" else "xla"
    if platform() != "cpu":
        return "xla"
    room = depthwise or affords(spectra_bytes(x, kernel, sides))
    if room and x.dtype == jnp.float32 and whole() and spectra_pay(x, kernel, strides, sides, dilation, groups):
        return "fft"
    if depthwise:
        return "shifts"
    small = math.prod(kernel.shape[:-2]) <= _MOST_TAPS
    if small and affords(patch_bytes(x, kernel, strides, sides) * groups):
        return "patches"
    return "rows" if groups == 1 else "xla"
