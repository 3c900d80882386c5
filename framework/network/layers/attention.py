"""Attention and the transformer block: [batch, time, features] -> same."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype

from framework.lowering.attention import attend
from framework.network.context import Context, Decoding, TracedValue
from framework.network.layers.activations import activation
from framework.network.layers.cache import extended, start_of
from framework.network.layers.dropout import Dropout, drop, is_off
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.normalization import LayerNorm, RMSNorm
from framework.network.layers.positions import alibi, bucket, distances, rotated
from framework.network.layers.projection import projection
from framework.network.layers.sequence import as_boolean, require_sequence
from framework.network.layers.wording import printed


class Attention(nn.Module):
    """Multi-head attention; see the schema of the same name."""

    heads: int
    kv_heads: int | None = None
    head_features: int | None = None
    causal: bool = False
    window: int | None = None
    position: str = "none"
    rotary_base: float = 10000.0
    relative_buckets: int = 32
    relative_distance: int = 128
    scale: float | None = None
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
        bias: jax.Array | None = None,
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
        decoding = context.decoding if key is None else None
        start = start_of(decoding)
        if self.position == "rotary":
            query, keys = rotated(query, self.rotary_base, start), rotated(keys, self.rotary_base, start)
        if decoding is not None:
            keys, values, mask = self._remembered(keys, values, mask, decoding)
        distance = partial(distances, query.shape[1], keys.shape[1], start)
        full = None if mask is None else self._full_mask(mask, query, keys)
        seen = attend(
            query if self.scale is None else query * (self.scale * math.sqrt(each[1])),
            keys,
            values,
            mask=self._within_reach(full, distance, keys.shape[1], decoding),
            bias=self._full_bias(bias, query, keys, distance),
            causal=self.causal and decoding is None,
            drop=self._drop(context),
        )
        return projection(self, "out", each, (), (features,))(seen)

    def _remembered(
        self, keys: jax.Array, values: jax.Array, mask: jax.Array | None, decoding: Decoding
    ) -> tuple[jax.Array, jax.Array, jax.Array | None]:
        """Keys, values and mask of all positions so far, where these are the new ones."""
        if not self.causal:
            raise ValueError(
                "found a sequence that is given piece by piece, attention that sees later positions needs it whole; "
                "set causal=true"
            )
        if mask is not None:
            if mask.shape != keys.shape[:2]:
                raise ValueError(
                    f"found mask {printed(mask.shape)}, piece by piece attention needs [batch, {keys.shape[1]}]; "
                    "reshape it"
                )
            mask = extended(self, "mask", as_boolean(mask), decoding)
        return extended(self, "keys", keys, decoding), extended(self, "values", values, decoding), mask

    def _within_reach(
        self, mask: jax.Array | None, distance: Callable[[], jax.Array], keys: int, decoding: Decoding | None
    ) -> jax.Array | None:
        """The mask without what the window leaves out and, piece by piece, without what is not known yet."""
        reach = self.window if self.window is not None and self.window < keys else None
        if reach is None and decoding is None:
            return mask
        away = distance()
        sight = jnp.ones(away.shape, bool) if reach is None else jnp.abs(away) < reach
        if decoding is not None:
            sight = sight & (away <= 0)
        return sight[None, None] if mask is None else mask & sight

    def _full_bias(
        self, bias: jax.Array | None, query: jax.Array, keys: jax.Array, distance: Callable[[], jax.Array]
    ) -> jax.Array | None:
        """What is added to the logits: [batch or 1, heads or 1, query time, key time]."""
        own = None
        if self.position == "alibi":
            own = alibi(self.heads, distance())[None]
        elif self.position == "relative":
            shape = (self.relative_buckets, self.heads)
            table = self.param("relative_bias", initializer("normal"), shape, parameter_dtype(self.param_dtype))
            index = bucket(distance(), self.relative_buckets, self.relative_distance, causal=self.causal)
            own = jnp.moveaxis(table[index], -1, 0)[None]
        if bias is None:
            return own
        wanted = (query.shape[0], self.heads, query.shape[1], keys.shape[1])
        given = bias[:, None] if bias.ndim == 3 else bias
        fits = given.ndim == 4 and given.shape[2:] == wanted[2:]
        if not fits or any(size not in (1, want) for size, want in zip(given.shape[:2], wanted, strict=False)):
            raise ValueError(
                f"found bias {printed(bias.shape)}, attention needs [batch, {wanted[2]}, {wanted[3]}] or "
                f"[batch, {wanted[1]}, {wanted[2]}, {wanted[3]}]; reshape it"
            )
        return given if own is None else given + own

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

    def _project(self, name: str, x: jax.Array, stack: tuple[int, ...], each: tuple[int, ...]) -> jax.Array:
        return projection(self, name, (x.shape[-1],), stack, each)(x)

    def _require_pair(self, x: jax.Array, key: jax.Array, value: jax.Array) -> None:
        require_sequence(key, "attention, for its key,")
        require_sequence(value, "attention, for its value,")
        if key.shape[1] != value.shape[1]:
            raise ValueError(
                f"found key {printed(key.shape)} and value {printed(value.shape)}, they need one length; "
                "wire both from one sequence"
            )
        if self.position != "none":
            raise ValueError(
                f"found a key of its own, {self.position} positions are those of one sequence; wire no key, or set "
                "position: none"
            )
        if (self.causal or self.window) and key.shape[1] != x.shape[1]:
            what, mend = ("causal attention", "causal=false") if self.causal else ("a window", "window=null")
            raise ValueError(
                f"found {x.shape[1]} positions that attend to {key.shape[1]}, {what} needs equal lengths; set {mend}"
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
                f"found mask {printed(mask.shape)}, a mask is [batch, {keys}], [batch, {queries}, {keys}] or "
                f"[batch, {self.heads}, {queries}, {keys}]; reshape it"
            )
        return shaped

    def _drop(self, context: Context) -> partial[jax.Array] | None:
        rate = context.value(self.dropout)
        if not context.train or is_off(rate):
            return None
        return partial(drop, rate=rate, key=self.make_rng("dropout"), axis=context.axis)


class RelativeBias(nn.Module):
    """A trained bias by distance; see the schema of the same name."""

    heads: int
    buckets: int = 32
    distance: int = 128
    causal: bool = False
    embedding_init: str = "normal"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if x.ndim < 2:
            raise ValueError(f"found rank {x.ndim} {printed(x.shape)}, a relative bias needs [batch, time, ...]")
        kept = parameter_dtype(self.param_dtype)
        table = self.param("embedding", initializer(self.embedding_init), (self.buckets, self.heads), kept)
        floats = jnp.issubdtype(x.dtype, jnp.floating)
        keys = x.shape[1] if context.decoding is None else context.decoding.length
        away = distances(x.shape[1], keys, start_of(context.decoding))
        index = bucket(away, self.buckets, self.distance, causal=self.causal)
        # What is looked up is cast and not the table, whose gradient is then summed in the table's format.
        (found,) = promote_dtype(table[index], dtype=self.dtype or (x.dtype if floats else None))
        return jnp.moveaxis(found, -1, 0)[None]


class TransformerBlock(nn.Module):
    """Self-attention and a perceptron with residual connections; see the schema of the same name."""

    heads: int
    kv_heads: int | None = None
    head_features: int | None = None
    causal: bool = False
    window: int | None = None
    position: str = "none"
    rotary_base: float = 10000.0
    relative_buckets: int = 32
    relative_distance: int = 128
    scale: float | None = None
    dropout: float | TracedValue = 0.0
    cross: bool = False
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
    def __call__(
        self,
        x: jax.Array,
        mask: jax.Array | None = None,
        memory: jax.Array | None = None,
        memory_mask: jax.Array | None = None,
        bias: jax.Array | None = None,
        *,
        context: Context,
    ) -> jax.Array:
        require_sequence(x, "a transformer block")
        self._require_memory(memory, memory_mask)
        (x,) = promote_dtype(x, dtype=self.dtype)

        def attention(x: jax.Array) -> jax.Array:
            seen = self._attention("attention", own=True)(x, mask=mask, bias=bias, context=context)
            return Dropout(self.dropout, name="dropout1")(seen, context=context)

        def cross_attention(x: jax.Array) -> jax.Array:
            look = self._attention("cross_attention", own=False)
            seen = look(x, memory, mask=memory_mask, context=context)
            return Dropout(self.dropout, name="dropout_cross")(seen, context=context)

        branches: list[tuple[str, Callable[[jax.Array], jax.Array]]] = [("norm1", attention)]
        if self.cross:
            branches.append(("norm_cross", cross_attention))
        branches.append(("norm2", lambda x: self._mlp(x, context)))
        for name, branch in branches:
            norm = self._norm(name)
            x = x + branch(norm(x, context=context)) if self.norm == "pre" else norm(x + branch(x), context=context)
        return x

    def _require_memory(self, memory: jax.Array | None, memory_mask: jax.Array | None) -> None:
        if self.cross and memory is None:
            raise ValueError(
                "found no memory, a block with cross: true attends to one; wire memory, or set cross=false"
            )
        if not self.cross and (memory is not None or memory_mask is not None):
            name = "memory_mask" if memory is None else "memory"
            raise ValueError(f"found {name}, a block with cross: false attends to itself alone; set cross=true")

    def _norm(self, name: str) -> LayerNorm | RMSNorm:
        if self.norm_type == "rms_norm":
            return RMSNorm(epsilon=self.epsilon, dtype=self.dtype, param_dtype=self.param_dtype, name=name)
        return LayerNorm(
            epsilon=self.epsilon, use_bias=self.use_bias, dtype=self.dtype, param_dtype=self.param_dtype, name=name
        )

    def _attention(self, name: str, *, own: bool) -> Attention:
        """Attention of the sequence to itself, or to another one, of which no order or place is known."""
        return Attention(
            self.heads,
            kv_heads=self.kv_heads,
            head_features=self.head_features,
            causal=self.causal and own,
            window=self.window if own else None,
            position=self.position if own else "none",
            rotary_base=self.rotary_base,
            relative_buckets=self.relative_buckets,
            relative_distance=self.relative_distance,
            scale=self.scale,
            dropout=self.dropout,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
            name=name,
        )

    def _mlp(self, x: jax.Array, context: Context) -> jax.Array:
        features = x.shape[-1]
        hidden = round(self.mlp_ratio * features) if self.hidden is None else self.hidden
        active = activation(self.activation)
        if self.gated:
            # One product for both; `stack` keeps the two apart, so that each can be divided over devices alike.
            gate, up = jnp.unstack(projection(self, "mlp_in", (features,), (2,), (hidden,))(x), axis=-2)
            y = active(gate) * up
        else:
            y = active(projection(self, "mlp_in", (features,), (), (hidden,))(x))
        y = projection(self, "mlp_out", (hidden,), (), (features,))(y)
        return Dropout(self.dropout, name="dropout2")(y, context=context)
