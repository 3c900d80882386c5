"""What a convolution costs on the CPU, by spectra and directly, as far as its shapes tell."""

from __future__ import annotations

import math

import jax

from framework.lowering.fft_convolution import transformed
from framework.lowering.patches import Sides, Sizes

# Nanoseconds of two cores for a forward and a backward pass, by `benchmarks/forms.py`; in favour of the direct forms.
_TRANSFORM = 1.2
"""For each number of a signal or a kernel and each doubling of its size: 0.6 to 1.5."""
_PRODUCT = 3.0
"""For each channel, feature and frequency: 1.3 to 3."""
_SHIFT = 2.0
"""For each element and tap of a depthwise convolution: 1.5 to 3.5."""
_PATCH = 4.0
"""For each element of a patch: 4 to 8."""
_MULTIPLY = 0.02
"""For each element of a patch and feature."""


def spectra_pay(x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes, groups: int) -> bool:
    """Whether spectra cost less than shifts or patches.

    Direct forms cost something for each tap, spectra for each doubling of the space, and a product of matrices for each
    frequency where features read more than one channel. Both follow the arrays' shapes alone.
    """
    batch, channels, features, mixed = x.shape[0], x.shape[-1], kernel.shape[-1], kernel.shape[-2]
    padded = [size + sum(side) for size, side in zip(x.shape[1:-1], sides, strict=True)]
    positions = math.prod(
        (size - gap * (tap - 1) - 1) // step + 1
        for size, gap, tap, step in zip(padded, dilation, kernel.shape[:-2], strides, strict=True)
    )
    elements = batch * positions * math.prod(kernel.shape[:-2])
    if channels == groups > 1:
        direct = _SHIFT * elements * features
    else:
        direct = elements * (_PATCH * channels + _MULTIPLY * mixed * features)
    size = math.prod(transformed(x.shape[1:-1], sides))
    arrays = batch * (channels + features) + mixed * features
    products = batch * mixed * features if mixed > 1 else 0
    return size * (_TRANSFORM * arrays * math.log2(size) + _PRODUCT * products) < direct


def spectra_bytes(x: jax.Array, kernel: jax.Array, sides: Sides) -> int:
    """About how many bytes the spectra of x and kernel take."""
    arrays = x.shape[0] * x.shape[-1] + kernel.shape[-2] * kernel.shape[-1]
    return 4 * arrays * math.prod(transformed(x.shape[1:-1], sides))
