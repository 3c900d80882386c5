"""Changes of shape; the first axis, the batch, stays first."""

from __future__ import annotations

import math

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
        rank = len(shapes[0])
        axis = self.axis + rank if self.axis < 0 else self.axis
        if not 0 < axis < rank:
            raise ValueError(
                f"found rank {rank} {printed(shapes[0])}, it has no axis {self.axis} besides the batch; "
                f"use one of 1 to {rank - 1}, or -1"
            )
        rest = [(*shape[:axis], *shape[axis + 1 :]) for shape in shapes]
        if any(len(shape) != rank or other != rest[0] for shape, other in zip(shapes, rest, strict=True)):
            raise ValueError(
                f"found {', '.join(map(printed, shapes))}, all sizes but those of axis {self.axis} must agree; "
                "make them equal"
            )
        return jnp.concatenate(inputs, axis)
