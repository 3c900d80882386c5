"""Attention and the transformer block: [batch, time, features] -> same."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype

from framework.lowering.attention import attend
from framework.network.context import Context, TracedValue
from framework.network.layers.activations import activation
from framework.network.layers.dropout import Dropout, drop, is_off
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.normalization import LayerNorm, RMSNorm
from framework.network.layers.positions import rotated
from framework.network.layers.sequence import as_boolean, require_sequence
from framework.network.layers.wording import printed


class _Projection(nn.Module):
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
        y = jnp.tensordot(x, kernel, axes=first)
        return y if bias is None else y + bias


class Attention(nn.Module):
    """Multi-head attention; see the schema of the same name."""

    heads: int
    kv_heads: int | None = None
    head_features: int | None = None
    causal: bool = False
    position: str = "none"
    rotary_base: float = 10000.0
    dropout: float | TracedValue = 0.0
    use_bias: bool = True
    kernel_init: str = "lecun_normal"
    bias_init: str = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        key: jax.Array | None = None,
        value: jax.Array | None = None,
        mask: jax.Array | None = None,
        *,
        context: Context,
    ) -> jax.Array:
        require_sequence(x, "attention")
        features = x.shape[-1]
        each = (self.heads, self._head_features(features))
        groups = (self.kv_heads or self.heads, each[1])
        if key is not None:
            value = key if value is None else value
            self._require_pair(x, key, value)
            query = self._project("query", x, (), each)
            keys = self._project("key", key, (), groups)
            values = self._project("value", value, (), groups)
        elif value is not None:
            raise ValueError("found value without key, attention to another sequence needs its key; wire key too")
        elif groups == each:
            query, keys, values = jnp.unstack(self._project("qkv", x, (3,), each), axis=2)
        else:
            query = self._project("query", x, (), each)
            keys, values = jnp.unstack(self._project("kv", x, (2,), groups), axis=2)
        if self.position == "rotary":
            query, keys = rotated(query, self.rotary_base), rotated(keys, self.rotary_base)
        seen = attend(
            query,
            keys,
            values,
            mask=None if mask is None else self._full_mask(mask, query, keys),
            causal=self.causal,
            drop=self._drop(context),
        )
        return self._projection("out", each, (), (features,))(seen)

    def _head_features(self, features: int) -> int:
        if self.head_features is not None:
            return self.head_features
        if features % self.heads:
            divisors = [count for count in range(1, features + 1) if features % count == 0]
            near = min(divisors, key=lambda count: abs(count - self.heads))
            raise ValueError(
                f"found {features} features, {self.heads} heads must divide them; set heads to e.g. {near}, "
                "or set head_features"
            )
        return features // self.heads

    def _projection(
        self, name: str, inputs: tuple[int, ...], stack: tuple[int, ...], outputs: tuple[int, ...]
    ) -> _Projection:
        return _Projection(
            inputs,
            stack,
            outputs,
            self.use_bias,
            self.kernel_init,
            self.bias_init,
            self.dtype,
            self.param_dtype,
            name=name,
        )

    def _project(self, name: str, x: jax.Array, stack: tuple[int, ...], each: tuple[int, ...]) -> jax.Array:
        return self._projection(name, (x.shape[-1],), stack, each)(x)

    def _require_pair(self, x: jax.Array, key: jax.Array, value: jax.Array) -> None:
        require_sequence(key, "attention, for its key,")
        require_sequence(value, "attention, for its value,")
        if key.shape[1] != value.shape[1]:
            raise ValueError(
                f"found key {printed(key.shape)} and value {printed(value.shape)}, they need one length; "
                "wire both from one sequence"
            )
        if self.position == "rotary":
            raise ValueError(
                "found a key of its own, rotary positions are those of one sequence; wire no key, or set position: none"
            )
        if self.causal and key.shape[1] != x.shape[1]:
            raise ValueError(
                f"found {x.shape[1]} positions that attend to {key.shape[1]}, causal attention needs equal lengths; "
                "set causal=false"
            )

    def _full_mask(self, mask: jax.Array, query: jax.Array, key: jax.Array) -> jax.Array:
        """The mask as booleans of rank 4."""
        queries, keys = query.shape[1], key.shape[1]
        full = {2: (slice(None), None, None), 3: (slice(None), None), 4: ()}.get(mask.ndim)
        shaped = None if full is None else as_boolean(mask)[full]
        wanted = (query.shape[0], self.heads, queries, keys)
        fits = shaped is not None and all(
            size == want or (size == 1 and axis != 3)
            for axis, (size, want) in enumerate(zip(shaped.shape, wanted, strict=True))
        )
        if shaped is None or not fits:
            raise ValueError(
                f"found mask {printed(mask.shape)}, attention needs [batch, {keys}], [batch, {queries}, {keys}] or "
                f"[batch, {self.heads}, {queries}, {keys}]; reshape it"
            )
        return shaped

    def _drop(self, context: Context) -> partial[jax.Array] | None:
        rate = context.value(self.dropout)
        if not context.train or is_off(rate):
            return None
        return partial(drop, rate=rate, key=self.make_rng("dropout"), axis=context.axis)


class TransformerBlock(nn.Module):
    """Self-attention and a perceptron with residual connections; see the schema of the same name."""

    heads: int
    kv_heads: int | None = None
    head_features: int | None = None
    causal: bool = False
    position: str = "none"
    rotary_base: float = 10000.0
    dropout: float | TracedValue = 0.0
    mlp_ratio: float = 4.0
    hidden: int | None = None
    gated: bool = False
    activation: str = "gelu"
    norm: str = "pre"
    norm_type: str = "layer_norm"
    epsilon: float = 1e-6
    use_bias: bool = True
    kernel_init: str = "lecun_normal"
    bias_init: str = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array | None = None, *, context: Context) -> jax.Array:
        require_sequence(x, "a transformer block")
        (x,) = promote_dtype(x, dtype=self.dtype)
        norm1, norm2 = self._norm("norm1"), self._norm("norm2")
        if self.norm == "pre":
            x = x + self._attention(norm1(x, context=context), mask, context)
            return x + self._mlp(norm2(x, context=context), context)
        x = norm1(x + self._attention(x, mask, context), context=context)
        return norm2(x + self._mlp(x, context), context=context)

    def _norm(self, name: str) -> LayerNorm | RMSNorm:
        if self.norm_type == "rms_norm":
            return RMSNorm(epsilon=self.epsilon, dtype=self.dtype, param_dtype=self.param_dtype, name=name)
        return LayerNorm(
            epsilon=self.epsilon, use_bias=self.use_bias, dtype=self.dtype, param_dtype=self.param_dtype, name=name
        )

    def _attention(self, x: jax.Array, mask: jax.Array | None, context: Context) -> jax.Array:
        attention = Attention(
            self.heads,
            kv_heads=self.kv_heads,
            head_features=self.head_features,
            causal=self.causal,
            position=self.position,
            rotary_base=self.rotary_base,
            dropout=self.dropout,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
            name="attention",
        )
        return Dropout(self.dropout, name="dropout1")(attention(x, mask=mask, context=context), context=context)

    def _mlp(self, x: jax.Array, context: Context) -> jax.Array:
        features = x.shape[-1]
        hidden = round(self.mlp_ratio * features) if self.hidden is None else self.hidden
        active = activation(self.activation)
        if self.gated:
            # One product for both; `stack` keeps the two apart, so that each can be divided over devices alike.
            gate, up = jnp.unstack(self._projection("mlp_in", features, (2,), hidden)(x), axis=-2)
            y = active(gate) * up
        else:
            y = active(self._projection("mlp_in", features, (), hidden)(x))
        y = self._projection("mlp_out", hidden, (), features)(y)
        return Dropout(self.dropout, name="dropout2")(y, context=context)

    def _projection(self, name: str, inputs: int, stack: tuple[int, ...], outputs: int) -> _Projection:
        return _Projection(
            (inputs,),
            stack,
            (outputs,),
            self.use_bias,
            self.kernel_init,
            self.bias_init,
            self.dtype,
            self.param_dtype,
            name=name,
        )
