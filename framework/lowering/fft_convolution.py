"""Convolution as a product of spectra: what it costs hardly grows with the kernel."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from framework.lowering.patches import Sides, Sizes
from framework.lowering.spectra import (
    convolved,
    correlated,
    kernels_first,
    kernels_last,
    returned,
    signals_first,
    signals_last,
    smooth,
    spectrum,
)

Arrays = tuple[jax.Array, jax.Array]


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5, 6))
def convolve_fft(
    x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes, groups: int, keep: bool
) -> jax.Array:
    """Cross-correlation of x [batch, *space, channels] with kernel [*kernel, channels / groups, features].

    With F the Fourier transform over the padded space, filled up with zeros to sizes that transform well,

        y = F⁻¹(F x · conj F kernel),  dx = F⁻¹(F dy · F kernel),  dkernel = F⁻¹(F x · conj F dy)

    where nothing has come round from the other end. Strides pick from what is computed without them; a dilated kernel
    has zeros between its taps. It is done in float32 or better; rounding errors are relative to the largest numbers of
    an image, not to each.

    Args:
      sides: zeros (before, after) each space dimension.
      keep: keep the spectra of x and kernel until the backward pass, else x and kernel, and transform them again.
    """
    return _forward(x, kernel, strides, sides, dilation, groups, keep)[0]


def transformed(space: Sizes, sides: Sides) -> Sizes:
    """The sizes that a space is transformed in; the last one is even."""
    padded = [size + sum(side) for size, side in zip(space, sides, strict=True)]
    return tuple(smooth(size, 2 if axis + 1 == len(padded) else 1) for axis, size in enumerate(padded))


def _forward(
    x: jax.Array, kernel: jax.Array, strides: Sizes, sides: Sides, dilation: Sizes, groups: int, keep: bool
) -> tuple[jax.Array, tuple[Arrays, Arrays | None]]:
    spectra = _spectra(x, kernel, sides, dilation, groups)
    y = _inverse(convolved(*spectra), transformed(x.shape[1:-1], sides))
    counts = _counts(x.shape, kernel.shape, sides, dilation)
    picked = (slice(0, count, step) for count, step in zip(counts, strides, strict=True))
    y = signals_last(y[(..., *picked)]).astype(x.dtype)
    # An empty array tells the shape, where nothing else of x is read.
    return y, ((x[:0] if keep else x, kernel), spectra if keep else None)


def _backward(
    strides: Sizes,
    sides: Sides,
    dilation: Sizes,
    groups: int,
    keep: bool,
    kept: tuple[Arrays, Arrays | None],
    dy: jax.Array,
) -> Arrays:
    del keep
    (x, kernel), spectra = kept
    seen, taps = _spectra(x, kernel, sides, dilation, groups) if spectra is None else spectra
    sizes = transformed(x.shape[1:-1], sides)
    between = [
        (0, size - step * (count - 1) - 1, step - 1)
        for size, count, step in zip(sizes, dy.shape[1:-1], strides, strict=True)
    ]
    given = spectrum(signals_first(dy, groups), between)
    inside = (slice(before, before + size) for (before, _), size in zip(sides, x.shape[1:-1], strict=True))
    dx = signals_last(_inverse(returned(given, taps), sizes)[(..., *inside)])
    places = (slice(0, gap * tap, gap) for gap, tap in zip(dilation, kernel.shape[:-2], strict=True))
    dkernel = kernels_last(_inverse(correlated(seen, given), sizes)[(..., *places)])
    return dx.astype(x.dtype), dkernel.astype(kernel.dtype)


def _spectra(x: jax.Array, kernel: jax.Array, sides: Sides, dilation: Sizes, groups: int) -> Arrays:
    """Those of x and kernel, in one size."""
    sizes = transformed(x.shape[1:-1], sides)
    around = [
        (before, size - before - inner, 0) for size, inner, (before, _) in zip(sizes, x.shape[1:-1], sides, strict=True)
    ]
    between = [
        (0, size - gap * (tap - 1) - 1, gap - 1)
        for size, tap, gap in zip(sizes, kernel.shape[:-2], dilation, strict=True)
    ]
    return spectrum(signals_first(x, groups), around), spectrum(kernels_first(kernel, groups), between)


def _inverse(x: jax.Array, sizes: Sizes) -> jax.Array:
    return jnp.fft.irfftn(x, sizes, tuple(range(-len(sizes), 0)))


def _counts(x: Sizes, kernel: Sizes, sides: Sides, dilation: Sizes) -> list[int]:
    """How many outputs there are without strides."""
    return [
        size + sum(side) - gap * (tap - 1)
        for size, side, tap, gap in zip(x[1:-1], sides, kernel[:-2], dilation, strict=True)
    ]


convolve_fft.defvjp(_forward, _backward)
