"""Channel gates: [batch, *space, channels] -> same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.network.context import Context
from framework.network.layers.activations import activation
from framework.network.layers.initialization import Init
from framework.network.layers.linear import Dense
from framework.network.layers.space import space_dims


class SqueezeExcite(nn.Module):
    """A gate for each channel; see the schema of the same name."""

    ratio: float = 0.25
    hidden: int | None = None
    activation: str = "relu"
    gate: str = "sigmoid"
    use_bias: bool = True
    kernel_init: Init = "lecun_normal"
    bias_init: Init = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        dims = space_dims(x, "squeeze-excite")
        channels = x.shape[-1]
        hidden = max(int(channels * self.ratio), 1) if self.hidden is None else self.hidden
        means = jnp.mean(x, tuple(range(1, 1 + dims)))
        small = activation(self.activation)(self._dense(hidden, "reduce")(means, context=context))
        gate = activation(self.gate)(self._dense(channels, "expand")(small, context=context))
        gate = gate.reshape(x.shape[0], *(1,) * dims, channels)
        return x.astype(jnp.result_type(x, gate) if self.dtype is None else self.dtype) * gate

    def _dense(self, features: int, name: str) -> Dense:
        return Dense(
            features,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
            name=name,
        )
