"""Batches whose examples are mixed with each other while training: inputs, and the answers that losses read."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from framework.config.schema.mixing import CutMix, Mixup
from framework.core.errors import ConfigError, Problem

KEY = "trainer.mix"


@dataclass(frozen=True)
class Mixed:
    """A batch of mixed examples, whose loss is share · loss(first) + (1 - share) · loss(second).

    Attributes:
      first: mixed inputs with the answers of the examples themselves.
      second: the same inputs with the answers of those that they are mixed with.
      share: float32 scalar in [0, 1].
    """

    first: Mapping[str, jax.Array]
    second: Mapping[str, jax.Array]
    share: jax.Array


def mixed(
    mix: Mixup | CutMix,
    batch: Mapping[str, jax.Array],
    inputs: Collection[str],
    answers: Collection[str],
    hyper: Mapping[str, jax.Array],
    key: jax.Array,
    axis: str | None,
) -> Mixed:
    """Mix each example with the one before it; the first goes with the last that is no padding.

    Batches are in a new order each epoch, so neighbours are as good as a random pair.

    Args:
      inputs: batch arrays that the network takes.
      answers: other arrays that losses read.
      axis: name of the axis over which other devices hold rows of their own; together they mix as one would.

    Raises:
      ConfigError: an input is not of real numbers, or, for cutmix, not of pictures of one size.
    """
    _check(mix, {name: batch[name] for name in inputs})
    drawn = jax.random.uniform(key, (5,))
    share = jnp.where(drawn[0] < hyper[f"{KEY}.probability"], symmetric_beta(drawn[1:3], hyper[f"{KEY}.alpha"]), 1.0)
    mask = batch.get("mask")
    other = {name: _before(batch[name], mask, axis) for name in (*inputs, *answers)}
    first = dict(batch)
    if isinstance(mix, CutMix):
        height, width = batch[next(iter(inputs))].shape[1:3]
        inside, share = _box(drawn[3:], share, height, width)
        for name in inputs:
            first[name] = jnp.where(inside, other[name], batch[name])
    else:
        for name in inputs:
            weight = share.astype(jnp.promote_types(batch[name].dtype, jnp.float32))
            first[name] = (weight * batch[name] + (1 - weight) * other[name]).astype(batch[name].dtype)
    return Mixed(first, first | {name: other[name] for name in answers}, share)


def _check(mix: Mixup | CutMix, inputs: Mapping[str, Any]) -> None:
    problems = [
        Problem(
            KEY, f"the input batch.{name} is {array.dtype}", f"real numbers, which {mix.type} needs", fix=f"{KEY}=null"
        )
        for name, array in inputs.items()
        if not jnp.issubdtype(array.dtype, jnp.floating)
    ]
    shapes = {name: tuple(array.shape[1:]) for name, array in inputs.items()}
    fitting = all(len(shape) == 3 for shape in shapes.values()) and len({shape[:2] for shape in shapes.values()}) == 1
    if isinstance(mix, CutMix) and not problems and not fitting:
        found = ", ".join(f"batch.{name} has {list(shape)}" for name, shape in shapes.items())
        problems.append(
            Problem(
                f"{KEY}.type",
                f"cutmix, where {found}",
                "[height, width, channels] for each input, of one height and width",
                fix=f"{KEY}.type=mixup",
            )
        )
    if problems:
        raise ConfigError(problems)


def _before(array: jax.Array, mask: jax.Array | None, axis: str | None) -> jax.Array:
    """For each row the one before it; for the first of all, the last that counts."""
    rows = array.shape[0]
    counted = jnp.asarray(rows) if mask is None else mask.sum().astype(jnp.int32)
    if axis is None:
        return jnp.concatenate([array[counted - 1][None], array[:-1]])
    counted = lax.psum(counted, axis)
    here = lax.axis_index(axis)
    place = counted - 1 - here * rows
    holds = (place >= 0) & (place < rows)
    # Only the device that holds the row adds to the sum.
    row = array[jnp.clip(place, 0, rows - 1)]
    last = lax.psum(jnp.where(holds, row, jnp.zeros_like(row)), axis)
    devices = lax.axis_size(axis)
    from_left = lax.ppermute(array[-1], axis, [(index, (index + 1) % devices) for index in range(devices)])
    return jnp.concatenate([jnp.where(here == 0, last, from_left)[None], array[:-1]])


def symmetric_beta(drawn: jax.Array, alpha: jax.Array) -> jax.Array:
    """A number of the law Beta(alpha, alpha) out of two of the uniform law, without a loop.

        x = (1 + t / sqrt(2 alpha + t^2)) / 2,  t = sqrt(2 alpha (u^(-1 / alpha) - 1)) cos(2 pi v)

    t has Student's law with 2 alpha degrees of freedom.

    Source: Bailey, Mathematics of Computation 62 (1994), pages 779 to 781 (t).
    """
    power = jnp.log(drawn[0]) / alpha
    cos = jnp.cos(2 * math.pi * drawn[1])
    # 2 alpha / t^2, which neither overflows nor is 0 / 0.
    inverse = jnp.exp(power) / jnp.maximum(-jnp.expm1(power) * cos**2, 1e-30)
    return 0.5 + 0.5 * jnp.sign(cos) * lax.rsqrt(1 + inverse)


def _box(middle: jax.Array, share: jax.Array, height: int, width: int) -> tuple[jax.Array, jax.Array]:
    """(bool[1, height, width, 1] of a box with a share of 1 - `share` of the area; the share that lies outside of it,
    which is more where the borders cut it off)."""
    side = jnp.sqrt(1 - share)
    inside = jnp.ones((1, height, width, 1), bool)
    area = jnp.ones((), jnp.float32)
    for axis, size in enumerate((height, width)):
        edges = (middle[axis] + sign * side / 2 for sign in (-1, 1))
        first, last = (jnp.clip(jnp.round(edge * size), 0, size) for edge in edges)
        place = lax.broadcasted_iota(jnp.float32, inside.shape, axis + 1)
        inside &= (place >= first) & (place < last)
        area = area * (last - first) / size
    return inside, 1 - area
