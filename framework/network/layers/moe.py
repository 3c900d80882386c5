"""A mixture of experts: [batch, ..., features] -> same."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax

from framework.network import costs
from framework.network.context import Context
from framework.network.layers import routing
from framework.network.layers.activations import activation
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.sequence import as_boolean
from framework.network.layers.wording import printed


class _Router(nn.Module):
    """The logits of all experts, in float32 or better whatever the layer computes in: a choice made of rounded logits
    would flip between positions that hardly differ (arXiv:2101.03961, section 2.4)."""

    experts: int
    kernel_init: str
    param_dtype: str | None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        shape = (x.shape[-1], self.experts)
        kernel = self.param("kernel", initializer(self.kernel_init), shape, parameter_dtype(self.param_dtype))
        x, kernel = promote_dtype(x, kernel, dtype=jnp.promote_types(x.dtype, jnp.float32))
        return jnp.dot(x, kernel, precision=lax.Precision.HIGHEST)


class _Maps(nn.Module):
    """One affine map for each expert: kernel [experts, inputs, outputs] and bias [experts, outputs]."""

    experts: int
    inputs: int
    outputs: int
    use_bias: bool
    kernel_init: str
    bias_init: str
    dtype: str | None
    param_dtype: str | None

    @nn.compact
    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array | None]:
        """x, kernel and bias in the format to compute in."""
        kept = parameter_dtype(self.param_dtype)
        shape = (self.experts, self.inputs, self.outputs)
        kernel = self.param("kernel", initializer(self.kernel_init, 1, 2, (0,)), shape, kept)
        bias = None
        if self.use_bias:
            bias = self.param("bias", initializer(self.bias_init), (self.experts, self.outputs), kept)
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        return x, kernel, bias


class MixtureOfExperts(nn.Module):
    """Perceptrons of which each position uses a few; see the schema of the same name."""

    experts: int
    top_k: int = 2
    mlp_ratio: float = 4.0
    hidden: int | None = None
    gated: bool = False
    activation: str = "gelu"
    normalize: bool | None = None
    capacity_factor: float | None = None
    use_bias: bool = True
    kernel_init: str = "lecun_normal"
    bias_init: str = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array | None = None, *, context: Context) -> jax.Array:
        self._require_fit(x, mask)
        logits = _Router(self.experts, self.kernel_init, self.param_dtype, name="router")(x)
        probabilities = jax.nn.softmax(logits)
        chosen = routing.chosen(lax.stop_gradient(probabilities), self.top_k)
        if mask is not None:
            chosen = chosen & as_boolean(mask)[..., None]
        if costs.asked_for(self):
            self._tell_costs(logits, probabilities, chosen, mask, context)
        normalize = self.top_k > 1 if self.normalize is None else self.normalize
        weights = routing.weighted(probabilities, chosen, normalize=normalize)
        if self.capacity_factor is None:
            return self._by_all(x, weights)
        batch, *places, features = x.shape
        time = math.prod(places)
        together = (batch, time, self.experts)
        share = self.capacity_factor * self.top_k * time / self.experts
        capacity = min(time, math.ceil(round(share, 6)))  # 1.1 · 10 is 11.000000000000002
        slots = routing.slots(chosen.reshape(together), capacity)
        return self._by_slots(x.reshape(batch, time, features), weights.reshape(together), slots).reshape(x.shape)

    def _by_all(self, x: jax.Array, weights: jax.Array) -> jax.Array:
        """Every expert computes every position. The weights meet the hidden features, so that one product of
        [position, experts · hidden] sums over experts too, within each device and then over devices."""
        features = x.shape[-1]
        hidden = self._hidden("...i,eih->...eh", x)
        weights = weights.astype(hidden.dtype)
        hidden, kernel, bias = self._maps("out", hidden.shape[-1], features)(hidden * weights[..., None])
        y = jnp.einsum("...eh,eho->...o", hidden, kernel)
        return y if bias is None else y + jnp.einsum("...e,eo->...o", weights.astype(bias.dtype), bias)

    def _by_slots(self, x: jax.Array, weights: jax.Array, slots: jax.Array) -> jax.Array:
        """Each expert computes the positions that have a slot with it."""
        features = x.shape[-1]
        (given,) = promote_dtype(x, dtype=self.dtype)
        sent = jnp.einsum("btec,bti->beci", slots.astype(given.dtype), given)
        hidden = self._hidden("beci,eih->bceh", sent)
        hidden, kernel, bias = self._maps("out", hidden.shape[-1], features)(hidden)
        y = jnp.einsum("bceh,eho->bceo", hidden, kernel)
        y = y if bias is None else y + bias
        shares = (slots * weights[..., None]).astype(y.dtype)
        return jnp.einsum("btec,bceo->bto", shares, y)

    def _hidden(self, product: str, x: jax.Array) -> jax.Array:
        """The hidden features of each expert: [..., experts, hidden]."""
        features = x.shape[-1]
        size = round(self.mlp_ratio * features) if self.hidden is None else self.hidden
        act = activation(self.activation)

        def mapped(name: str) -> jax.Array:
            given, kernel, bias = self._maps(name, features, size)(x)
            y = jnp.einsum(product, given, kernel)
            return y if bias is None else y + bias

        return act(mapped("gate")) * mapped("in") if self.gated else act(mapped("in"))

    def _maps(self, name: str, inputs: int, outputs: int) -> _Maps:
        return _Maps(
            self.experts,
            inputs,
            outputs,
            self.use_bias,
            self.kernel_init,
            self.bias_init,
            self.dtype,
            self.param_dtype,
            name=f"experts_{name}",
        )

    def _tell_costs(
        self,
        logits: jax.Array,
        probabilities: jax.Array,
        chosen: jax.Array,
        mask: jax.Array | None,
        context: Context,
    ) -> None:
        """Costs of each example whose mean over the rows that count is the mean over the positions that count."""
        places = probabilities.shape[:-1]
        rows = jnp.ones(places[:1], logits.dtype) if context.mask is None else context.mask.astype(logits.dtype)
        weights = jnp.broadcast_to(rows.reshape(-1, *(1,) * (len(places) - 1)), places)
        if mask is not None:
            weights = weights * as_boolean(mask)
        shares, positions = routing.counted(chosen, weights, context.axis)
        every = rows.sum() if context.axis is None else lax.psum(rows.sum(), context.axis)
        weights = weights * every / jnp.where(positions > 0, positions, 1)
        each = {
            "balance": self.experts * jnp.sum(shares * probabilities, -1),
            "router_z": jnp.square(jax.nn.logsumexp(logits, -1)),
        }
        for name, values in each.items():
            costs.tell(self, name, jnp.sum(values * weights, tuple(range(1, values.ndim))))

    def _require_fit(self, x: jax.Array, mask: jax.Array | None) -> None:
        if x.ndim < 2:
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, a mixture of experts needs [batch, ..., features]; "
                "put a reshape before it, e.g. {reshape: {shape: [1]}}"
            )
        if self.top_k > self.experts:
            raise ValueError(
                f"found top_k {self.top_k}, only {self.experts} experts can be chosen; set top_k={self.experts}"
            )
        if self.capacity_factor is not None and x.ndim == 2:
            raise ValueError(
                f"found rank 2 {printed(x.shape)}, a capacity counts the positions of an example, which are more than "
                "one; set capacity_factor=null"
            )
        if mask is not None and mask.shape != x.shape[:-1]:
            raise ValueError(
                f"found mask {printed(mask.shape)}, a mixture of experts needs {printed(x.shape[:-1])}; reshape it"
            )
