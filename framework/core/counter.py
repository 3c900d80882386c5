"""Random bits by position, and keys of them: a hash of a counter instead of a cipher.

Threefry costs about 100 operations a value, a loop of small kernels for each key that is derived, and about a second of
compile time for each place that draws; masks, noise and first weights need none of its strength. Drawing the two masks
of a small perceptron by it took two thirds of a training step on the CPU (350 us against 118 us without).
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.random import define_prng_impl


def counter_bits(key: jax.Array, shape: tuple[int, ...], first_row: int | jax.Array = 0) -> jax.Array:
    """Uniform random bits that depend on the key and on the position alone.

        bits[i] = mix(mix(i ^ k0) + k1),  i the position in row-major order, mod 2^32

    So a part of an array can be drawn alone, and means the same however the array is divided among devices, under
    `vmap` and alone. They repeat after 2^32 values, and are no cipher.

    Args:
      key: a typed key or its raw data, uint32[2 or more].
      shape: of the result.
      first_row: position along the first axis at which the result begins.

    Returns:
      uint32 of `shape`.
    """
    data = jax.random.key_data(key) if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else key
    return _bits(data, _positions(shape, first_row))


def keep_mask(
    key: jax.Array, probability: float | jax.Array, shape: tuple[int, ...], first_row: int | jax.Array = 0
) -> jax.Array:
    """True with a probability, which is resolved in steps of 2^-24; 1 keeps everything and 0 nothing.

    Args:
      key: as for `counter_bits`.
      probability: in [0, 1]; may be traced.
    """
    # 24 bits, since that many a float32 holds exactly.
    drawn = (counter_bits(key, shape, first_row) >> 8).astype(jnp.float32)
    return drawn < jnp.asarray(probability, jnp.float32) * 2.0**24


def _bits(data: jax.Array, position: jax.Array) -> jax.Array:
    return _mix(_mix(position ^ data[0]) + data[1])


def _positions(shape: tuple[int, ...], first_row: int | jax.Array) -> jax.Array:
    total = jnp.zeros(shape, jnp.uint32)
    for axis, size in enumerate(shape):
        if size == 1 and axis:
            continue
        stride = math.prod(shape[axis + 1 :]) % 2**32
        along = lax.broadcasted_iota(jnp.uint32, shape, axis)
        if axis == 0:
            along = along + jnp.asarray(first_row, jnp.uint32)
        total = total + along * jnp.uint32(stride)
    return total


def _mix(x: jax.Array) -> jax.Array:
    """A bijection of 32 bits, of low bias: each bit of x flips each bit of the result with a chance near one half.

    Source: C. Wellons, "Prospecting for Hash Functions", 2018, the function `lowbias32`.
    """
    x = x ^ (x >> 16)
    x = x * jnp.uint32(0x7FEB352D)
    x = x ^ (x >> 15)
    x = x * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def _seed(seed: jax.Array) -> jax.Array:
    word = jnp.asarray(seed).astype(jnp.uint32)
    return jnp.stack([_mix(word + jnp.uint32(0x9E3779B9)), _mix(word ^ jnp.uint32(0x85EBCA6B))])


def _fold_in(data: jax.Array, number: int | jax.Array) -> jax.Array:
    word = jnp.asarray(number).astype(jnp.uint32)
    first = _bits(data, word)
    # The second word is drawn with the words of the key exchanged, so that the two do not depend on each other.
    return jnp.stack([first, _bits(data[::-1], word + jnp.uint32(0x9E3779B9))])


def _split(data: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    numbers = jnp.arange(math.prod(shape), dtype=jnp.uint32)
    # Another key than that of `_fold_in`, so that the two do not give the same keys.
    return jax.vmap(lambda number: _fold_in(_fold_in(data, jnp.uint32(0x2545F491)), number))(numbers).reshape(*shape, 2)


def _random_bits(data: jax.Array, width: int, shape: tuple[int, ...]) -> jax.Array:
    if width == 64:
        parts = counter_bits(data, (*shape, 2)).astype(jnp.uint64)
        return (parts[..., 0] << 32) | parts[..., 1]
    # The high bits of a product depend on more of the counter than the low ones.
    bits = counter_bits(data, shape) >> (32 - width)
    return bits.astype({8: jnp.uint8, 16: jnp.uint16, 32: jnp.uint32}[width])


COUNTER = define_prng_impl(
    key_shape=(2,), seed=_seed, split=_split, random_bits=_random_bits, fold_in=_fold_in, name="counter", tag="ctr"
)
"""Keys whose bits are `counter_bits`, for `jax.random` and everything that takes a key."""
