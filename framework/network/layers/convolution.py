"""Convolutions: [batch, *space, channels] -> [batch, *space', features], with 1 to 3 space dimensions."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax

from framework.lowering.convolution import convolve, convolve_transposed
from framework.network.context import Context
from framework.network.layers.initialization import Init, initializer, parameter_dtype
from framework.network.layers.reparametrisation import normed_kernel
from framework.network.layers.space import Padding, per_dimension, sides, space_dims

Sizes = tuple[int, ...]
"""A number for each space dimension."""


def _windows(
    x: jax.Array, kernel: int | Sizes, strides: int | Sizes, dilation: int | Sizes = 1
) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    """Kernel, strides and dilation of each space dimension, and how far the kernel reaches from end to end.

    Raises:
      ValueError: `x` has no 1 to 3 space dimensions, or a list has another length.
    """
    dims = space_dims(x, "a convolution")
    size = per_dimension(kernel, dims, "kernel")
    steps = per_dimension(strides, dims, "strides")
    gaps = per_dimension(dilation, dims, "dilation")
    return size, steps, gaps, tuple(gap * (n - 1) + 1 for n, gap in zip(size, gaps, strict=True))


class Conv(nn.Module):
    """Convolution over 1 to 3 space dimensions; see the schema of the same name."""

    features: int
    kernel: int | Sizes
    strides: int | Sizes = 1
    dilation: int | Sizes = 1
    groups: int = 1
    padding: Padding = "same"
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    kernel_norm: str | None = None
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size, strides, dilation, reach = _windows(x, self.kernel, self.strides, self.dilation)
        channels = x.shape[-1]
        if channels % self.groups or self.features % self.groups:
            raise ValueError(
                f"found {channels} channels and {self.features} features, {self.groups} groups must divide both; "
                f"set groups to {math.gcd(channels, self.features)} or a divisor of it"
            )
        around = sides(self.padding, x.shape[1:-1], reach, strides, "a kernel")
        shape = (*size, channels // self.groups, self.features)
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("kernel", initializer(self.kernel_init), shape, kept)
        kernel = normed_kernel(self, kernel, self.kernel_norm, context)
        bias = self.param("bias", initializer(self.bias_init), (self.features,), kept) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = convolve(x, kernel, strides=strides, padding=around, dilation=dilation, groups=self.groups)
        return y if bias is None else y + bias


class DepthwiseConv(nn.Module):
    """Convolution of each channel on its own; see the schema of the same name."""

    kernel: int | Sizes
    multiplier: int = 1
    strides: int | Sizes = 1
    dilation: int | Sizes = 1
    padding: Padding = "same"
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    kernel_norm: str | None = None
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size, strides, dilation, reach = _windows(x, self.kernel, self.strides, self.dilation)
        around = sides(self.padding, x.shape[1:-1], reach, strides, "a kernel")
        channels = x.shape[-1]
        features = channels * self.multiplier
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("kernel", initializer(self.kernel_init), (*size, 1, features), kept)
        kernel = normed_kernel(self, kernel, self.kernel_norm, context)
        bias = self.param("bias", initializer(self.bias_init), (features,), kept) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = convolve(x, kernel, strides=strides, padding=around, dilation=dilation, groups=channels)
        return y if bias is None else y + bias


class TransposedConv(nn.Module):
    """Convolution with a fractional step; see the schema of the same name."""

    features: int
    kernel: int | Sizes
    strides: int | Sizes = 1
    dilation: int | Sizes = 1
    padding: Padding = "same"
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    kernel_norm: str | None = None
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size, strides, dilation, reach = _windows(x, self.kernel, self.strides, self.dilation)
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("kernel", initializer(self.kernel_init), (*size, x.shape[-1], self.features), kept)
        kernel = normed_kernel(self, kernel, self.kernel_norm, context)
        bias = self.param("bias", initializer(self.bias_init), (self.features,), kept) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        around = self._around(reach)
        y = convolve_transposed(x, kernel, strides=strides, padding=around, dilation=dilation)
        return y if bias is None else y + bias

    def _around(self, reach: Sizes) -> str | list[tuple[int, int]]:
        """Padding of the convolution that runs over the input with zeros put between."""
        if isinstance(self.padding, str):
            return self.padding.upper()
        each = per_dimension(self.padding, len(reach), "padding")  # pyright: ignore[reportArgumentType]
        off = [(side, side) if isinstance(side, int) else side for side in each]
        return [(far - 1 - before, far - 1 - after) for far, (before, after) in zip(reach, off, strict=True)]


class SeparableConv(nn.Module):
    """Depthwise convolution and a mixture of channels; see the schema of the same name."""

    features: int
    kernel: int | Sizes
    multiplier: int = 1
    strides: int | Sizes = 1
    dilation: int | Sizes = 1
    padding: Padding = "same"
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size, strides, dilation, reach = _windows(x, self.kernel, self.strides, self.dilation)
        around = sides(self.padding, x.shape[1:-1], reach, strides, "a kernel")
        between = x.shape[-1] * self.multiplier
        kept, init = parameter_dtype(self.param_dtype), initializer(self.kernel_init)
        depthwise = self.param("depthwise_kernel", init, (*size, 1, between), kept)
        pointwise = self.param("pointwise_kernel", init, (between, self.features), kept)
        bias = self.param("bias", initializer(self.bias_init), (self.features,), kept) if self.use_bias else None
        x, depthwise, pointwise, bias = promote_dtype(x, depthwise, pointwise, bias, dtype=self.dtype)
        y = convolve(x, depthwise, strides=strides, padding=around, dilation=dilation, groups=x.shape[-1])
        y = jnp.dot(y, pointwise)
        return y if bias is None else y + bias


class LocallyConnected(nn.Module):
    """A kernel for each position; see the schema of the same name."""

    features: int
    kernel: int | Sizes
    strides: int | Sizes = 1
    padding: Padding = "valid"
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size, strides, _, reach = _windows(x, self.kernel, self.strides)
        around = sides(self.padding, x.shape[1:-1], reach, strides, "a kernel")
        space = tuple(
            (n + sum(pair) - k) // s + 1 for n, pair, k, s in zip(x.shape[1:-1], around, size, strides, strict=True)
        )
        taps = x.shape[-1] * math.prod(size)
        kept = parameter_dtype(self.param_dtype)
        init = initializer(self.kernel_init, batch_axis=tuple(range(len(size))))
        kernel = self.param("kernel", init, (*space, taps, self.features), kept)
        bias = None
        if self.use_bias:
            bias = self.param("bias", initializer(self.bias_init), (*space, self.features), kept)
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        letters = "DHW"[-len(size) :]
        axes = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
        windows = lax.conv_general_dilated_patches(x, size, strides, around, dimension_numbers=axes)
        y = jnp.einsum("b...i,...ij->b...j", windows, kernel)
        return y if bias is None else y + bias
