"""Dropout and noise: any shape -> same."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

from framework.network.context import Context, TracedValue
from framework.network.layers.draws import drawn_mask, normal_numbers
from framework.network.layers.space import space_dims

Sizes = tuple[int, ...]


def drop(x: jax.Array, rate: float | jax.Array, key: jax.Array, axis: str | None = None) -> jax.Array:
    """Sets each value to zero with probability `rate` and divides the rest by 1 - rate; a rate of 1 gives all zeros.

    Args:
      x: rows first.
      axis: name of the axis over which other devices do the same to rows of their own; together they drop what one
        device would.
    """
    kept = drawn_mask(x.shape, 1 - rate, key, axis)
    # The divisor is guarded and not only masked: 1 / 0 behind a mask would still make gradients NaN.
    scale = 1 / jnp.where(jnp.asarray(rate) < 1, 1 - rate, 1)
    return x * jnp.where(kept, scale, 0).astype(x.dtype)


class Dropout(nn.Module):
    """Random removal of values while training; see the schema of the same name."""

    rate: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        return drop(x, rate, self.make_rng("dropout"), context.axis)


def is_off(rate: float | jax.Array) -> bool:
    """Whether a rate is a plain zero, so that no random number need be drawn."""
    return isinstance(rate, int | float) and rate == 0


class SpatialDropout(nn.Module):
    """Random removal of channels while training; see the schema of the same name."""

    rate: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        dims = space_dims(x, "spatial dropout")
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        return _scaled(x, rate, (x.shape[0], *(1,) * dims, x.shape[-1]), self.make_rng("dropout"), context.axis)


class StochasticDepth(nn.Module):
    """Random removal of examples while training; see the schema of the same name."""

    rate: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        return _scaled(x, rate, (x.shape[0], *(1,) * (x.ndim - 1)), self.make_rng("dropout"), context.axis)


def _scaled(x: jax.Array, rate: float | jax.Array, shape: Sizes, key: jax.Array, axis: str | None) -> jax.Array:
    """x with one draw for each place of `shape`, which is as x or 1 in each axis."""
    return x * drop(jnp.ones(shape, x.dtype), rate, key, axis)


class DropBlock(nn.Module):
    """Random removal of blocks of positions while training; see the schema of the same name."""

    rate: float | TracedValue
    block: int = 7

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        dims = space_dims(x, "dropblock")
        space = x.shape[1:-1]
        if min(space) < self.block:
            raise ValueError(
                f"found space {list(space)}, a block of {self.block} needs as much; set block to {min(space)} or less"
            )
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        inner = tuple(size - self.block + 1 for size in space)
        share = math.prod(space) / (math.prod(inner) * self.block**dims)
        probability = jnp.clip(jnp.asarray(rate, jnp.float32) * share, 0, 1)
        key, shape = self.make_rng("dropout"), (x.shape[0], *inner, x.shape[-1])
        centres = ~drawn_mask(shape, 1 - probability, key, context.axis)
        # Each first corner of a block blanks the `block` positions from it on along every space dimension.
        edge = [(0, 0), *((self.block - 1, self.block - 1),) * dims, (0, 0)]
        window = (1, *(self.block,) * dims, 1)
        blank = lax.reduce_window(centres, np.asarray(False), lax.bitwise_or, window, (1,) * x.ndim, edge)
        kept = (~blank).astype(jnp.float32)
        scale = math.prod(x.shape[1:]) / jnp.maximum(kept.sum(tuple(range(1, x.ndim)), keepdims=True), 1)
        return x * (kept * scale).astype(x.dtype)


class AlphaDropout(nn.Module):
    """Dropout that keeps mean 0 and variance 1; see the schema of the same name."""

    rate: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        limit = -1.7580993408473766  # of selu: -scale · alpha
        keep = 1 - jnp.asarray(rate, jnp.float32)
        factor = lax.rsqrt(keep + limit**2 * keep * (1 - keep))
        kept = drawn_mask(x.shape, keep, self.make_rng("dropout"), context.axis)
        offset = -factor * (1 - keep) * limit
        return jnp.where(kept, x, limit).astype(x.dtype) * factor.astype(x.dtype) + offset.astype(x.dtype)


class GaussianDropout(nn.Module):
    """Multiplication by noise while training; see the schema of the same name."""

    rate: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        rate = context.value(self.rate)
        if not context.train or is_off(rate):
            return x
        rate = jnp.asarray(rate, jnp.float32)
        spread = jnp.sqrt(rate / (1 - rate))
        return x * (1 + spread * normal_numbers(x.shape, self.make_rng("dropout"), context.axis)).astype(x.dtype)


class GaussianNoise(nn.Module):
    """Addition of noise while training; see the schema of the same name."""

    stddev: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        stddev = context.value(self.stddev)
        if not context.train or is_off(stddev):
            return x
        return x + (stddev * normal_numbers(x.shape, self.make_rng("dropout"), context.axis)).astype(x.dtype)
