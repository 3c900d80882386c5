"""Changes of shape, and sums over axes; the first axis, the batch, stays first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.network.context import Context
from framework.network.layers.wording import printed


class Flatten(nn.Module):
    """[batch, ...] -> [batch, features]."""

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


class Reshape(nn.Module):
    """[batch, ...] -> [batch, *shape]."""

    shape: tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        elements, known = math.prod(x.shape[1:]), math.prod(size for size in self.shape if size != -1)
        if elements % known if -1 in self.shape else elements != known:
            raise ValueError(
                f"found {printed(x.shape)}, shape [batch, {', '.join(map(str, self.shape))}] needs "
                f"{'a multiple of ' if -1 in self.shape else ''}{known} elements for each example and not {elements}; "
                f"give sizes whose product is {elements}, or make one -1"
            )
        sizes = tuple(elements // known if size == -1 else size for size in self.shape)
        return x.reshape(x.shape[0], *sizes)


class Transpose(nn.Module):
    """[batch, a, b, ...] -> the axes after the batch in another order."""

    axes: tuple[int, ...] | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        axes = tuple(range(x.ndim - 1, 0, -1)) if self.axes is None else self.axes
        if len(axes) != x.ndim - 1:
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, axes must name each axis but the batch; "
                f"set axes to an order of {list(range(1, x.ndim))}"
            )
        return jnp.transpose(x, (0, *axes))


class Concat(nn.Module):
    """[batch, ..., a], [batch, ..., b] -> [batch, ..., a + b]."""

    axis: int = -1

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        shapes = [x.shape for x in inputs]
        rank, axis = len(shapes[0]), _axis(inputs[0], self.axis)
        rest = [(*shape[:axis], *shape[axis + 1 :]) for shape in shapes]
        if any(len(shape) != rank or other != rest[0] for shape, other in zip(shapes, rest, strict=True)):
            raise ValueError(
                f"found {', '.join(map(printed, shapes))}, all sizes but those of axis {self.axis} must agree; "
                "make them equal, by strides, resize, crop or reshape"
            )
        return jnp.concatenate(inputs, axis)


def _axis(x: jax.Array, axis: int, rank: int | None = None) -> int:
    """An axis counted from the front.

    Args:
      rank: of the array that the axis is one of; None: that of x.

    Raises:
      ValueError: there is no such axis, or it is the batch.
    """
    rank = x.ndim if rank is None else rank
    found = axis + rank if axis < 0 else axis
    if not 0 < found < rank:
        usable = "put a reshape before it" if rank < 2 else f"use one of 1 to {rank - 1}, or -1"
        raise ValueError(
            f"found rank {rank} {printed(x.shape)}, an axis besides the batch, which {axis} is not; {usable}"
        )
    return found


def _axes(x: jax.Array, axes: Sequence[int] | None) -> tuple[int, ...]:
    """Axes counted from the front; None: all but the batch."""
    return tuple(range(1, x.ndim)) if axes is None else tuple(_axis(x, axis) for axis in axes)


class Stack(nn.Module):
    """Arrays of one shape -> one along a new axis."""

    axis: int = -1

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        axis = _axis(inputs[0], self.axis, inputs[0].ndim + 1)
        if len({x.shape for x in inputs}) > 1:
            told = ", ".join(printed(x.shape) for x in inputs)
            raise ValueError(f"found {told}, arrays that are stacked need one shape; make them equal, or use concat")
        return jnp.stack(inputs, axis)


class Split(nn.Module):
    """[batch, ..., a + b] -> [batch, ..., a], [batch, ..., b]."""

    parts: int | None = None
    sizes: tuple[int, ...] | None = None
    axis: int = -1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> tuple[jax.Array, ...]:
        axis = _axis(x, self.axis)
        size = x.shape[axis]
        if self.sizes is None:
            parts = self.parts or 1
            if size % parts:
                fewer = math.gcd(size, parts)
                mend = f"set parts={fewer}, or give sizes instead" if fewer > 1 else "give sizes instead"
                raise ValueError(f"found size {size} of axis {self.axis}, {parts} equal parts must divide it; {mend}")
            sizes = (size // parts,) * parts
        else:
            sizes = self.sizes
        if sum(sizes) != size:
            raise ValueError(
                f"found size {size} of axis {self.axis}, sizes {list(sizes)} must add up to it; change sizes"
            )
        ends = [sum(sizes[: index + 1]) for index in range(len(sizes) - 1)]
        return tuple(jnp.split(x, ends, axis))


class Slice(nn.Module):
    """A range of positions along an axis."""

    axis: int = 1
    start: int | None = None
    stop: int | None = None
    step: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        axis = _axis(x, self.axis)
        y = x[(slice(None),) * axis + (slice(self.start, self.stop, self.step),)]
        if y.shape[axis] == 0:
            raise ValueError(
                f"found size {x.shape[axis]} of axis {self.axis}, some of it between start {self.start} and "
                f"stop {self.stop}; change start or stop"
            )
        return y


class Select(nn.Module):
    """One position along an axis."""

    index: int = 0
    axis: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        axis = _axis(x, self.axis)
        size = x.shape[axis]
        if not -size <= self.index < size:
            raise ValueError(
                f"found size {size} of axis {self.axis}, a position that it has, which {self.index} is not; "
                f"use one of 0 to {size - 1}"
            )
        return x[(slice(None),) * axis + (self.index,)]


class ExpandDims(nn.Module):
    """A new axis of size 1."""

    axis: int = -1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.expand_dims(x, _axis(x, self.axis, x.ndim + 1))


class Squeeze(nn.Module):
    """Axes of size 1 removed."""

    axes: tuple[int, ...] | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        ones = tuple(axis for axis in range(1, x.ndim) if x.shape[axis] == 1)
        axes = ones if self.axes is None else _axes(x, self.axes)
        if any(axis not in ones for axis in axes):
            raise ValueError(
                f"found {printed(x.shape)}, only axes of size 1 can be removed; use one of {list(ones)}"
                if ones
                else f"found {printed(x.shape)}, only axes of size 1 can be removed; leave it out"
            )
        return jnp.squeeze(x, axes)


class Flip(nn.Module):
    """Positions in the reverse order."""

    axes: tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.flip(x, _axes(x, self.axes))


class Roll(nn.Module):
    """Positions moved in a circle."""

    shifts: tuple[int, ...]
    axes: tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.roll(x, self.shifts, _axes(x, self.axes))


class Tile(nn.Module):
    """An array repeated along its axes."""

    counts: tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if len(self.counts) != x.ndim - 1:
            raise ValueError(
                f"found {printed(x.shape)}, counts must have one number for each axis but the batch; "
                f"set counts to {[1] * (x.ndim - 1)} with some of them larger"
            )
        return jnp.tile(x, (1, *self.counts))


class RepeatVector(nn.Module):
    """[batch, features] -> [batch, times, features]."""

    times: int

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if x.ndim != 2:
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, a repeated vector is [batch, features]; "
                "put a flatten before it, or use tile"
            )
        return jnp.repeat(x[:, None, :], self.times, axis=1)


class ChannelShuffle(nn.Module):
    """Groups of channels interleaved."""

    groups: int = 2

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if x.ndim < 2 or x.shape[-1] % self.groups:
            raise ValueError(
                f"found {printed(x.shape)}, {self.groups} groups must divide the channels; set groups to a divisor"
            )
        parts = x.reshape(*x.shape[:-1], self.groups, x.shape[-1] // self.groups)
        return jnp.swapaxes(parts, -1, -2).reshape(x.shape)


def _norm(x: jax.Array, axes: tuple[int, ...], keepdims: bool) -> jax.Array:
    total = jnp.sum(jnp.square(x), axes, keepdims=keepdims)
    # The root has no slope at 0; the norm of zeros gets the gradient 0 and not NaN.
    return jnp.where(total > 0, jnp.sqrt(jnp.where(total > 0, total, 1)), 0)


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "mean": jnp.mean,
    "sum": jnp.sum,
    "max": jnp.max,
    "min": jnp.min,
    "prod": jnp.prod,
    "logsumexp": jax.nn.logsumexp,
    "norm": _norm,
    "std": jnp.std,
    "var": jnp.var,
}


class Reduce(nn.Module):
    """One number out of those along some axes."""

    how: str = "mean"
    axes: tuple[int, ...] | None = None
    keep_dims: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return _REDUCTIONS[self.how](x, _axes(x, self.axes), keepdims=self.keep_dims)


class OneHot(nn.Module):
    """Integers [batch, ...] -> [batch, ..., classes]."""

    classes: int
    dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if not jnp.issubdtype(x.dtype, jnp.integer):
            raise ValueError(
                f"found {x.dtype} {printed(x.shape)}, one-hot vectors need integers in [0, {self.classes}); "
                "read them from integers of the batch"
            )
        return jax.nn.one_hot(x, self.classes, dtype=self.dtype or "float32")
