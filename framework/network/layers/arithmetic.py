"""Operations between whole arrays of one rank, sizes equal or 1, and those that pass one on."""

from __future__ import annotations

from functools import reduce
from operator import add, mul

import jax
import jax.numpy as jnp
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


class Maximum(nn.Module):
    """Largest of all inputs."""

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        _require_match(inputs)
        return reduce(jnp.maximum, inputs)


class Minimum(nn.Module):
    """Smallest of all inputs."""

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        _require_match(inputs)
        return reduce(jnp.minimum, inputs)


class Divide(nn.Module):
    """The first input divided by the second."""

    @nn.compact
    def __call__(self, x: jax.Array, y: jax.Array, *, context: Context) -> jax.Array:
        _require_match((x, y))
        return x / y


class Dot(nn.Module):
    """Products of two inputs summed over an axis; see the schema of the same name."""

    axes: int | tuple[int, int] = -1
    normalize: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, y: jax.Array, *, context: Context) -> jax.Array:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if any(item.ndim < 2 or not -item.ndim < axis < item.ndim for item, axis in zip((x, y), pair, strict=True)):
            raise ValueError(
                f"found {printed(x.shape)}, {printed(y.shape)}, they have no axes {list(pair)} besides the batch; "
                "use -1, or put a reshape before one of them"
            )
        first, second = (jnp.moveaxis(item, axis, -1) for item, axis in zip((x, y), pair, strict=True))
        if first.shape[-1] != second.shape[-1]:
            raise ValueError(
                f"found {printed(x.shape)}, {printed(y.shape)}, axes {list(pair)} must be of one size to be summed "
                "over; put a dense before one of them"
            )
        if self.normalize:
            first, second = unit(first), unit(second)
        letters = "mnopqr"[: second.ndim - 2]
        z = jnp.einsum(f"b...k,b{letters}k->b...{letters}", first, second)
        return z[:, None] if z.ndim == 1 else z


def unit(x: jax.Array, axis: int = -1, shortest: float = 1e-12) -> jax.Array:
    """x divided by its length along an axis; what is shorter than `shortest` is divided by that."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    power = jnp.sum(jnp.square(wide), axis=axis, keepdims=True)
    # The smallest length bounds the squares, since the root has no slope at 0.
    return (wide * lax.rsqrt(jnp.maximum(power, shortest**2))).astype(x.dtype)
