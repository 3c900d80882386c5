"""Gated perceptrons: [batch, ..., inputs] -> [batch, ..., features]."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.network.context import Context, TracedValue
from framework.network.layers.activations import activation
from framework.network.layers.dropout import Dropout
from framework.network.layers.projection import projection
from framework.network.layers.wording import printed


class GatedMLP(nn.Module):
    """Two-layer perceptron with a gate; see the schema of the same name."""

    features: int | None = None
    mlp_ratio: float = 4.0
    hidden: int | None = None
    activation: str = "silu"
    dropout: float | TracedValue = 0.0
    use_bias: bool = True
    kernel_init: str = "lecun_normal"
    bias_init: str = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if x.ndim < 2:
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, a gated perceptron needs [batch, ..., features]; "
                "put a reshape before it, e.g. {reshape: {shape: [1]}}"
            )
        inputs = x.shape[-1]
        hidden = round(self.mlp_ratio * inputs) if self.hidden is None else self.hidden
        # One product for both; `stack` keeps the two apart, so that each can be divided over devices alike.
        gate, up = jnp.unstack(projection(self, "mlp_in", (inputs,), (2,), (hidden,))(x), axis=-2)
        y = Dropout(self.dropout, name="dropout")(activation(self.activation)(gate) * up, context=context)
        features = inputs if self.features is None else self.features
        return projection(self, "mlp_out", (hidden,), (), (features,))(y)
