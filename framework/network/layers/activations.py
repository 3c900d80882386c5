"""Activation functions of `jax.nn` as modules, and by name for larger layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import jax
from flax import linen as nn

from framework.network.context import Context
from framework.network.layers.wording import printed

Function = Callable[[jax.Array], jax.Array]


def activation(name: str) -> Function:
    """The function of `jax.nn` called `name`, its other arguments at their defaults; `gelu_exact` is x · Phi(x)."""
    if name == "gelu_exact":
        return partial(jax.nn.gelu, approximate=False)
    return getattr(jax.nn, name)


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
        return jax.nn.gelu(x, self.approximate)


class Squareplus(nn.Module):
    """(x + sqrt(x² + b)) / 2."""

    b: float = 4.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return jax.nn.squareplus(x, self.b)


def _require_axis(x: jax.Array, axis: int) -> None:
    if axis >= x.ndim or axis <= -x.ndim:
        raise ValueError(
            f"found rank {x.ndim} {printed(x.shape)}, it has no axis {axis} besides "
            "the batch; " + (f"use one of 1 to {x.ndim - 1}, or -1" if x.ndim > 1 else "put a reshape before it")
        )


class Softmax(nn.Module):
    """exp(x_i) / sum_j exp(x_j)."""

    axis: int = -1

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_axis(x, self.axis)
        return jax.nn.softmax(x, self.axis)


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
