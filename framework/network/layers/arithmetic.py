"""Operations between whole arrays of one rank, sizes equal or 1, and those that pass one on."""

from __future__ import annotations

from functools import reduce
from operator import add, mul

import jax
from flax import linen as nn
from jax import lax

from framework.network.context import Context
from framework.network.layers.wording import printed


def _require_match(inputs: tuple[jax.Array, ...]) -> None:
    """NumPy would also align different ranks from the right, and so add a feature vector to the batch by mistake."""
    shapes = [x.shape for x in inputs]
    fits = len({len(shape) for shape in shapes}) == 1
    if fits:
        fits = all(len(set(sizes) - {1}) <= 1 for sizes in zip(*shapes, strict=True))
    if not fits:
        raise ValueError(
            f"found {', '.join(map(printed, shapes))}, arrays that are combined need one rank and sizes that are "
            "equal or 1; put a dense, conv or reshape before one of them"
        )


class Add(nn.Module):
    """Sum of all inputs."""

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        _require_match(inputs)
        return reduce(add, inputs)


class Multiply(nn.Module):
    """Product of all inputs."""

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        _require_match(inputs)
        return reduce(mul, inputs)


class Subtract(nn.Module):
    """The first input less the second."""

    @nn.compact
    def __call__(self, x: jax.Array, y: jax.Array, *, context: Context) -> jax.Array:
        _require_match((x, y))
        return x - y


class Average(nn.Module):
    """Mean of all inputs."""

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        _require_match(inputs)
        return reduce(add, inputs) / len(inputs)


class Identity(nn.Module):
    """The input itself."""

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return x


class StopGradient(nn.Module):
    """The input, with no gradient back."""

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return lax.stop_gradient(x)


class Cast(nn.Module):
    """The input in another number format."""

    dtype: str

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return x.astype(self.dtype)
