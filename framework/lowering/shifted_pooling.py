"""The largest value of windows that overlap, with a gradient that is no select-and-scatter."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.patches import Sides, Sizes, places


@partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def max_of_shifts(x: jax.Array, window: Sizes, strides: Sizes, sides: Sides) -> jax.Array:
    """Largest value of each window of x [batch, *space, channels], as the maximum of its shifted slices.

    Which slice it was is kept in one byte; its first place in the window gets the gradient, as with XLA's own. `sides`
    are (before, after) elements of padding.
    """
    return _forward(x, window, strides, sides)[0]


def _forward(x: jax.Array, window: Sizes, strides: Sizes, sides: Sides) -> tuple[jax.Array, tuple[jax.Array, Sizes]]:
    around = [(0, 0, 0), *((before, after, 0) for before, after in sides), (0, 0, 0)]
    padded = lax.pad(x, jnp.asarray(-jnp.inf, x.dtype), around)
    largest, place = None, None
    for index, where in enumerate(_places(padded.shape, window, strides)):
        part = lax.slice(padded, *where)
        if largest is None or place is None:
            largest, place = part, jnp.zeros(part.shape, jnp.uint8)
            continue
        # A NaN is larger than everything, and the first one stays.
        later = (part > largest) | (jnp.isnan(part) & ~jnp.isnan(largest))
        largest, place = jnp.where(later, part, largest), jnp.where(later, jnp.uint8(index), place)
    assert largest is not None and place is not None  # a window has an element
    return largest, (place, x.shape)


def _backward(
    window: Sizes, strides: Sizes, sides: Sides, kept: tuple[jax.Array, Sizes], dy: jax.Array
) -> tuple[jax.Array]:
    place, shape = kept
    zero = jnp.zeros((), dy.dtype)
    padded = (shape[0], *(size + sum(side) for size, side in zip(shape[1:-1], sides, strict=True)), shape[-1])
    crop = [(0, 0, 0), *((-before, -after, 0) for before, after in sides), (0, 0, 0)]
    if window == strides:
        return (lax.pad(_spread(place, dy, window, padded), zero, crop),)
    total = jnp.zeros(padded, dy.dtype)
    for index, (start, limit, step) in enumerate(_places(padded, window, strides)):
        part = jnp.where(place == index, dy, zero)
        around = [(low, size - end, gap - 1) for low, size, end, gap in zip(start, padded, limit, step, strict=True)]
        total = total + lax.pad(part, zero, around)
    return (lax.pad(total, zero, crop),)


def _spread(place: jax.Array, dy: jax.Array, window: Sizes, padded: Sizes) -> jax.Array:
    """The gradient of windows that tile space, each element written once."""
    inner, counts = tuple(range(2, 2 + 2 * len(window), 2)), dy.shape[1:-1]
    shape = [size for pair in zip((1,) * len(window), window, strict=True) for size in pair]
    number = jnp.arange(math.prod(window), dtype=jnp.uint8).reshape(1, *shape, 1)
    spread = jnp.where(jnp.expand_dims(place, inner) == number, jnp.expand_dims(dy, inner), 0)
    whole = tuple(count * size for count, size in zip(counts, window, strict=True))
    rest = [(0, size - used, 0) for size, used in zip(padded[1:-1], whole, strict=True)]
    tiled = spread.reshape(padded[0], *whole, padded[-1])
    return lax.pad(tiled, jnp.zeros((), dy.dtype), [(0, 0, 0), *rest, (0, 0, 0)])


def _places(padded: Sizes, window: Sizes, strides: Sizes) -> list[tuple[Sizes, Sizes, Sizes]]:
    assert math.prod(window) <= 256  # the number of a slice is kept in one byte
    return list(places(padded, (*window, 1, 1), strides, (1,) * len(window)))


max_of_shifts.defvjp(_forward, _backward)
