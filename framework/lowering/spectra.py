"""Real Fourier transforms of signals and kernels, and products of what they give.

Space lies last here, where it is transformed: signals are [batch, groups, channels / groups, *space], kernels [groups,
channels / groups, features / groups, *space].
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
from jax import lax

Sizes = tuple[int, ...]
Around = list[tuple[int, int, int]]


def smooth(size: int, factor: int = 1) -> int:
    """The smallest multiple of `factor` that is not below `size` and has no prime factors beyond 5 but those of it."""
    return next(many for many in itertools.count(-(-size // factor) * factor, factor) if _is_smooth(many))


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def signals_first(x: jax.Array, groups: int) -> jax.Array:
    """[batch, *space, channels] with space last."""
    dims = x.ndim - 2
    split = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    return split.transpose(0, dims + 1, dims + 2, *range(1, dims + 1))


def signals_last(x: jax.Array) -> jax.Array:
    """[batch, *space, channels], of what `signals_first` gives."""
    moved = x.transpose(0, *range(3, x.ndim), 1, 2)
    return moved.reshape(*moved.shape[:-2], -1)


def kernels_first(kernel: jax.Array, groups: int) -> jax.Array:
    """[*space, channels / groups, features] with space last."""
    dims = kernel.ndim - 2
    split = kernel.reshape(*kernel.shape[:-1], groups, kernel.shape[-1] // groups)
    return split.transpose(dims + 1, dims, dims + 2, *range(dims))


def kernels_last(kernel: jax.Array) -> jax.Array:
    """[*space, channels / groups, features], of what `kernels_first` gives."""
    moved = kernel.transpose(*range(3, kernel.ndim), 1, 0, 2)
    return moved.reshape(*moved.shape[:-2], -1)


def spectrum(x: jax.Array, around: Around) -> jax.Array:
    """The transform of x over its last axes, with zeros before, after and between the elements of each of them."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    filled = lax.pad(wide, jnp.zeros((), wide.dtype), [(0, 0, 0)] * (x.ndim - len(around)) + around)
    return jnp.fft.rfftn(filled, axes=tuple(range(-len(around), 0)))


def convolved(signals: jax.Array, kernels: jax.Array) -> jax.Array:
    """The spectrum that a convolution gives: sum over c of signals[b, g, c] conj(kernels[g, c, o])."""
    if kernels.shape[1] == 1:
        return signals * kernels.conj()[:, 0]
    return _product("zbgc,zgco->zbgo", signals, kernels.conj())


def returned(given: jax.Array, kernels: jax.Array) -> jax.Array:
    """What goes back to the signals: sum over o of given[b, g, o] kernels[g, c, o]."""
    if kernels.shape[1] == 1:
        return (given * kernels[:, 0]).sum(2, keepdims=True)
    return _product("zbgo,zgco->zbgc", given, kernels)


def correlated(signals: jax.Array, given: jax.Array) -> jax.Array:
    """What goes back to the kernels: sum over b of signals[b, g, c] conj(given[b, g, o])."""
    if signals.shape[2] == 1:
        return (signals * given.conj()).sum(0)[:, None]
    return _product("zbgc,zbgo->zgco", signals, given.conj())


def _product(equation: str, left: jax.Array, right: jax.Array) -> jax.Array:
    """A matrix product for each frequency z, which lies last before and after."""
    frequencies = left.shape[3:]
    first = (x.reshape(*x.shape[:3], -1).transpose(3, 0, 1, 2) for x in (left, right))
    y = jnp.einsum(equation, *first).transpose(1, 2, 3, 0)
    return y.reshape(*y.shape[:3], *frequencies)
