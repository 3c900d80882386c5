"""Affine maps of the last axes, the part that attention and perceptrons are made of."""

from __future__ import annotations

from typing import Protocol

import jax
from flax import linen as nn
from flax.linen.dtypes import promote_dtype

from framework.lowering.projection import project
from framework.network.layers.initialization import initializer, parameter_dtype


class Projection(nn.Module):
    """Affine map of the last axes (`inputs`) to others (`stack`, `outputs`); `stack` counts maps side by side."""

    inputs: tuple[int, ...]
    stack: tuple[int, ...]
    outputs: tuple[int, ...]
    use_bias: bool
    kernel_init: str
    bias_init: str
    dtype: str | None
    param_dtype: str | None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        axes = tuple(range(len(self.inputs + self.stack + self.outputs)))
        first, last = len(self.inputs), len(self.inputs + self.stack)
        init = initializer(self.kernel_init, axes[:first], axes[last:], axes[first:last])
        kept = parameter_dtype(self.param_dtype)
        after = self.stack + self.outputs
        kernel = self.param("kernel", init, self.inputs + after, kept)
        bias = self.param("bias", initializer(self.bias_init), after, kept) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        # The kernel as it lies. As a matrix it would cut through heads that are divided over devices, which XLA would
        # then send around; and a reshaped copy of gathered weights would be kept until the backward pass.
        return project(x, kernel, bias, axes=first)


class Mapped(Protocol):
    """A layer with the arguments of its affine maps."""

    use_bias: bool
    kernel_init: str
    bias_init: str
    dtype: str | None
    param_dtype: str | None


def projection(
    layer: Mapped, name: str, inputs: tuple[int, ...], stack: tuple[int, ...], outputs: tuple[int, ...]
) -> Projection:
    """A map inside of a layer, with that layer's arguments; `inputs`, `stack` and `outputs` as in `Projection`."""
    return Projection(
        inputs,
        stack,
        outputs,
        layer.use_bias,
        layer.kernel_init,
        layer.bias_init,
        layer.dtype,
        layer.param_dtype,
        name=name,
    )
