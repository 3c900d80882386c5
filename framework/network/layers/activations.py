"""Activation functions of `jax.nn` as modules, and by name for larger layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax

from framework.config.schema.layers.initializers import Constant
from framework.core.counter import counter_bits
from framework.lowering.gelu import gelu
from framework.network.context import Context
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.wording import printed

Function = Callable[[jax.Array], jax.Array]


def activation(name: str) -> Function:
    """The function of `jax.nn` called `name`, its other arguments at their defaults; `gelu_exact` is x · Phi(x)."""
    if name == "gelu_exact":
        return partial(jax.nn.gelu, approximate=False)
    return gelu if name == "gelu" else getattr(jax.nn, name)


class _Elementwise(nn.Module):
    """An activation without arguments."""

    function: ClassVar[Function]

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return type(self).function(x)


class Relu(_Elementwise):
    """max(x, 0)."""

    function = staticmethod(jax.nn.relu)


class Relu6(_Elementwise):
    """min(max(x, 0), 6)."""

    function = staticmethod(jax.nn.relu6)


class Selu(_Elementwise):
    """Scaled exponential linear unit."""

    function = staticmethod(jax.nn.selu)


class Silu(_Elementwise):
    """x · sigmoid(x)."""

    function = staticmethod(jax.nn.silu)


class Swish(_Elementwise):
    """x · sigmoid(x)."""

    function = staticmethod(jax.nn.swish)


class Mish(_Elementwise):
    """x · tanh(softplus(x))."""

    function = staticmethod(jax.nn.mish)


class Sigmoid(_Elementwise):
    """1 / (1 + exp(-x))."""

    function = staticmethod(jax.nn.sigmoid)


class LogSigmoid(_Elementwise):
    """-log(1 + exp(-x))."""

    function = staticmethod(jax.nn.log_sigmoid)


class Tanh(_Elementwise):
    """Hyperbolic tangent."""

    function = staticmethod(jax.nn.tanh)


class Softplus(_Elementwise):
    """log(1 + exp(x))."""

    function = staticmethod(jax.nn.softplus)


class SoftSign(_Elementwise):
    """x / (1 + |x|)."""

    function = staticmethod(jax.nn.soft_sign)


class HardTanh(_Elementwise):
    """x, limited to [-1, 1]."""

    function = staticmethod(jax.nn.hard_tanh)


class HardSigmoid(_Elementwise):
    """relu6(x + 3) / 6."""

    function = staticmethod(jax.nn.hard_sigmoid)


class HardSilu(_Elementwise):
    """x · relu6(x + 3) / 6."""

    function = staticmethod(jax.nn.hard_silu)


class HardSwish(_Elementwise):
    """x · relu6(x + 3) / 6."""

    function = staticmethod(jax.nn.hard_swish)


class SparsePlus(_Elementwise):
    """0 below -1, (x + 1)² / 4 up to 1, x above."""

    function = staticmethod(jax.nn.sparse_plus)


class SparseSigmoid(_Elementwise):
    """0 below -1, (x + 1) / 2 up to 1, 1 above."""

    function = staticmethod(jax.nn.sparse_sigmoid)


class LeakyRelu(nn.Module):
    """x for x >= 0, negative_slope · x otherwise."""

    negative_slope: float = 0.01

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jax.nn.leaky_relu(x, self.negative_slope)


class Elu(nn.Module):
    """x for x > 0, alpha · (exp(x) - 1) otherwise."""

    alpha: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jax.nn.elu(x, self.alpha)


class Celu(nn.Module):
    """max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0)."""

    alpha: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jax.nn.celu(x, self.alpha)


class Gelu(nn.Module):
    """x times the normal distribution function of x."""

    approximate: bool = True

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return gelu(x) if self.approximate else jax.nn.gelu(x, False)


class Squareplus(nn.Module):
    """(x + sqrt(x² + b)) / 2."""

    b: float = 4.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jax.nn.squareplus(x, self.b)


def _require_axis(x: jax.Array, axis: int) -> None:
    if axis >= x.ndim or axis <= -x.ndim:
        raise ValueError(
            f"found rank {x.ndim} {printed(x.shape)}, an axis besides the "
            f"batch, which {axis} is not; "
            + (f"use one of 1 to {x.ndim - 1}, or -1" if x.ndim > 1 else "put a reshape before it")
        )


class Softmax(nn.Module):
    """exp(x_i) / sum_j exp(x_j)."""

    axis: int = -1
    temperature: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_axis(x, self.axis)
        return jax.nn.softmax(x if self.temperature == 1 else x / self.temperature, self.axis)


class LogSoftmax(nn.Module):
    """x_i - log sum_j exp(x_j)."""

    axis: int = -1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_axis(x, self.axis)
        return jax.nn.log_softmax(x, self.axis)


class Glu(nn.Module):
    """The first half of an axis times the sigmoid of the second half."""

    axis: int = -1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_axis(x, self.axis)
        if x.shape[self.axis] % 2:
            raise ValueError(
                f"found size {x.shape[self.axis]} in axis {self.axis}, a gated unit halves it; make it even"
            )
        return jax.nn.glu(x, self.axis)


class PRelu(nn.Module):
    """max(x, 0) + slope · min(x, 0), with trained slopes."""

    shared: bool = False
    initial: float = 0.25
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        init = initializer(Constant(value=self.initial))
        slope = self.param("slope", init, (1 if self.shared else x.shape[-1],), parameter_dtype(self.param_dtype))
        x, slope = promote_dtype(x, slope, dtype=self.dtype)
        return jnp.where(x >= 0, x, slope * x)


class RRelu(nn.Module):
    """x, or a random share of it where it is negative."""

    lower: float = 0.125
    upper: float = 1 / 3

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if not context.train:
            return jnp.where(x >= 0, x, (self.lower + self.upper) / 2 * x)
        first_row = 0 if context.axis is None else lax.axis_index(context.axis) * x.shape[0]
        drawn = (counter_bits(self.make_rng("dropout"), x.shape, first_row) >> 8).astype(jnp.float32) * 2.0**-24
        slope = self.lower + (self.upper - self.lower) * drawn
        return jnp.where(x >= 0, x, slope.astype(x.dtype) * x)


class ReluSquared(_Elementwise):
    """max(x, 0)²."""

    function = staticmethod(lambda x: jnp.square(jax.nn.relu(x)))


class ThresholdedRelu(nn.Module):
    """x above a threshold, else 0."""

    threshold: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.where(x > self.threshold, x, 0)


class HardShrink(nn.Module):
    """x where its magnitude is above a threshold, else 0."""

    threshold: float = 0.5

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.where(jnp.abs(x) > self.threshold, x, 0)


class SoftShrink(nn.Module):
    """x moved towards zero by a threshold."""

    threshold: float = 0.5

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return x - jnp.clip(x, -self.threshold, self.threshold)


class TanhShrink(_Elementwise):
    """x - tanh(x)."""

    function = staticmethod(lambda x: x - jnp.tanh(x))


class QuickGelu(_Elementwise):
    """x · sigmoid(1.702 x)."""

    function = staticmethod(lambda x: x * jax.nn.sigmoid(1.702 * x))


class Exponential(_Elementwise):
    """exp(x)."""

    function = staticmethod(jnp.exp)


class Sine(nn.Module):
    """sin(frequency · x)."""

    frequency: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jnp.sin(self.frequency * x)


class CRelu(nn.Module):
    """The positive parts, then the negative ones."""

    axis: int = -1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_axis(x, self.axis)
        return jnp.concatenate([jax.nn.relu(x), jax.nn.relu(-x)], self.axis)


class Maxout(nn.Module):
    """Largest of each group of neighbours along an axis."""

    axis: int = -1
    pieces: int = 2

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_axis(x, self.axis)
        axis = self.axis % x.ndim
        size = x.shape[axis]
        if size % self.pieces:
            raise ValueError(
                f"found size {size} in axis {self.axis}, groups of {self.pieces} must divide it; "
                f"make it a multiple of {self.pieces}"
            )
        return x.reshape(*x.shape[:axis], size // self.pieces, self.pieces, *x.shape[axis + 1 :]).max(axis + 1)
