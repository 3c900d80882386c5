"""Fully connected layers: [batch, ..., inputs] -> [batch, ..., features]."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype

from framework.network.context import Context
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.wording import printed


class Dense(nn.Module):
    """Affine map of the last axis; see the schema of the same name."""

    features: int
    use_bias: bool = True
    kernel_init: str = "lecun_normal"
    bias_init: str = "zeros"
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
        bias = self.param("bias", initializer(self.bias_init), (self.features,), kept) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = jnp.dot(x, kernel)
        return y if bias is None else y + bias
