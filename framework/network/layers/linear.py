"""Fully connected layers: [batch, ..., inputs] -> [batch, ..., features]."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype

from framework.lowering.projection import project
from framework.network.context import Context
from framework.network.layers.initialization import Init, initializer, parameter_dtype
from framework.network.layers.reparametrisation import normed_kernel
from framework.network.layers.wording import printed


class Dense(nn.Module):
    """Affine map of the last axis; see the schema of the same name."""

    features: int
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    kernel_norm: str | None = None
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if x.ndim < 2:
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, a dense layer maps the last axis of [batch, ..., inputs]; "
                "put a reshape before it, e.g. {reshape: {shape: [1]}}"
            )
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("kernel", initializer(self.kernel_init), (x.shape[-1], self.features), kept)
        kernel = normed_kernel(self, kernel, self.kernel_norm, context)
        bias = self.param("bias", initializer(self.bias_init), (self.features,), kept) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        return project(x, kernel, bias)


class Einsum(nn.Module):
    """Product with a kernel by letters; see the schema of the same name."""

    equation: str
    sizes: tuple[tuple[str, int], ...] = ()
    bias_axes: str = ""
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        given, kernel_letters, output = self.equation.replace("->", ",").split(",")
        own = given.removeprefix("...")
        if x.ndim < len(own) + (given != own) or (given == own and x.ndim != len(own)):
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, the input of {self.equation} is [{', '.join(given)}]; "
                "change the equation, or put a reshape before it"
            )
        sizes = dict(zip(own, x.shape[x.ndim - len(own) :], strict=True))
        for letter, size in self.sizes:
            if sizes.setdefault(letter, size) != size:
                raise ValueError(
                    f"found {printed(x.shape)}, its axis {letter} is {sizes[letter]} and not {size}; "
                    f"leave {letter} out of sizes"
                )
        missing = [letter for letter in kernel_letters + self.bias_axes if letter not in sizes]
        if missing:
            raise ValueError(
                f"found {printed(x.shape)}, the size of {missing[0]} does not follow from it; "
                f"set sizes={{{missing[0]}: 64}}"
            )
        summed = [place for place, letter in enumerate(kernel_letters) if letter not in output]
        made = [place for place, letter in enumerate(kernel_letters) if letter not in own]
        rest = [place for place in range(len(kernel_letters)) if place not in (*summed, *made)]
        kept = parameter_dtype(self.param_dtype)
        init = initializer(self.kernel_init, in_axis=summed, out_axis=made, batch_axis=rest)
        kernel = self.param("kernel", init, tuple(sizes[letter] for letter in kernel_letters), kept)
        bias = None
        if self.use_bias and self.bias_axes:
            shape = tuple(sizes[letter] for letter in self.bias_axes)
            bias = self.param("bias", initializer(self.bias_init), shape, kept)
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = jnp.einsum(self.equation, x, kernel)
        if bias is None:
            return y
        ends = output.removeprefix("...")
        return y + bias.reshape([sizes[letter] if letter in self.bias_axes else 1 for letter in ends])


class Bilinear(nn.Module):
    """Form that is linear in each of two inputs; see the schema of the same name."""

    features: int
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, y: jax.Array, *, context: Context) -> jax.Array:
        if x.ndim < 2 or x.shape[:-1] != y.shape[:-1]:
            raise ValueError(
                f"found {printed(x.shape)}, {printed(y.shape)}, a bilinear layer needs two arrays that differ in the "
                "last axis alone; make the others equal"
            )
        kept = parameter_dtype(self.param_dtype)
        shape = (x.shape[-1], y.shape[-1], self.features)
        kernel = self.param("kernel", initializer(self.kernel_init, in_axis=(0, 1)), shape, kept)
        bias = self.param("bias", initializer(self.bias_init), (self.features,), kept) if self.use_bias else None
        x, y, kernel, bias = promote_dtype(x, y, kernel, bias, dtype=self.dtype)
        z = jnp.einsum("...i,ikj,...k->...j", x, kernel, y)
        return z if bias is None else z + bias
