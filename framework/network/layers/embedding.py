"""Embeddings: integers [batch, ...] -> [batch, ..., features], and positions added to [batch, time, features]."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax

from framework.network.context import Context
from framework.network.layers.cache import start_of
from framework.network.layers.initialization import Init, initializer, parameter_dtype
from framework.network.layers.sequence import require_sequence
from framework.network.layers.wording import printed


class Embed(nn.Module):
    """A trained vector for each integer; see the schema of the same name."""

    vocabulary: int
    features: int
    embedding_init: Init = "lecun_normal"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if not jnp.issubdtype(x.dtype, jnp.integer):
            raise ValueError(
                f"found {x.dtype} {printed(x.shape)}, an embedding needs integers in "
                f"[0, {self.vocabulary}), such as batch.tokens; use dense for real numbers"
            )
        init = initializer(self.embedding_init, in_axis=1, out_axis=0)
        shape = (self.vocabulary, self.features)
        table = self.param("embedding", init, shape, parameter_dtype(self.param_dtype))
        index = x.astype(jnp.int32)
        # A negative index would count from the end of the table; past the end it is filled like all others outside.
        index = jnp.where(index < 0, self.vocabulary, index)
        rows = jnp.take(table, index, axis=0, mode="fill", fill_value=jnp.nan)
        # The rows are cast and not the table, so that the gradient of a frequent integer is summed in the table's
        # format: of many small terms in half precision the later ones would be lost.
        (rows,) = promote_dtype(rows, dtype=self.dtype)
        return rows


class Unembed(nn.Module):
    """Products with the vectors of an embedding; see the schema of the same name."""

    dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, embedding: jax.Array, *, context: Context) -> jax.Array:
        if x.ndim < 2 or embedding.ndim != 2 or x.shape[-1] != embedding.shape[1]:
            raise ValueError(
                f"found {printed(x.shape)} and vectors [{', '.join(map(str, embedding.shape))}], unembed needs "
                f"[batch, ..., {embedding.shape[-1]}]; put {{dense: {{features: {embedding.shape[-1]}}}}} before it"
            )
        x, table = promote_dtype(x, embedding, dtype=self.dtype)
        return jnp.einsum("...f,vf->...v", x, table)


class PositionalEmbedding(nn.Module):
    """Adds a vector for each position; see the schema of the same name."""

    kind: str = "learned"
    max_length: int | None = None
    embedding_init: Init = "normal"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        require_sequence(x, "a positional embedding")
        _, time, features = x.shape
        start = start_of(context.decoding)
        length = time if context.decoding is None else context.decoding.length
        if self.max_length is not None and length > self.max_length:
            raise ValueError(
                f"found {length} positions, max_length is {self.max_length}; set max_length={length} or more"
            )
        if self.kind == "sinusoidal":
            x, waves = promote_dtype(x, _waves(time, features, start).astype(self.dtype or x.dtype), dtype=self.dtype)
            return x + waves
        if self.max_length is None:
            raise ValueError("found no max_length, learned positions need one; set it, or use kind: sinusoidal")
        kept = parameter_dtype(self.param_dtype)
        table = self.param("embedding", initializer(self.embedding_init), (self.max_length, features), kept)
        x, table = promote_dtype(x, table, dtype=self.dtype)
        if context.decoding is None:
            return x + table[:time]
        return x + lax.dynamic_slice_in_dim(table, start, time)


def _waves(time: int, features: int, start: int | jax.Array) -> jax.Array:
    """[time, features]: sine at even places, cosine at odd ones, wavelengths from 2 pi to 10000 · 2 pi."""
    pairs = jnp.arange(0, features, 2, dtype=jnp.float32)
    places = (start + jnp.arange(time, dtype=jnp.int32)).astype(jnp.float32)
    angles = places[:, None] * jnp.exp(pairs * (-math.log(10000.0) / features))
    return jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(time, -1)[:, :features]


class ClassToken(nn.Module):
    """Trained vectors at one end of a sequence; see the schema of the same name."""

    tokens: int = 1
    position: str = "first"
    token_init: Init = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        require_sequence(x, "a class token")
        kept = parameter_dtype(self.param_dtype)
        token = self.param("token", initializer(self.token_init), (self.tokens, x.shape[-1]), kept)
        x, token = promote_dtype(x, token, dtype=self.dtype)
        every = jnp.broadcast_to(token, (x.shape[0], *token.shape))
        return jnp.concatenate([every, x] if self.position == "first" else [x, every], axis=1)


class Parameter(nn.Module):
    """A trained array for each example; see the schema of the same name."""

    shape: tuple[int, ...]
    value_init: Init = "normal"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        value = self.param("value", initializer(self.value_init), self.shape, parameter_dtype(self.param_dtype))
        (value,) = promote_dtype(value, dtype=self.dtype)
        return jnp.broadcast_to(value, (x.shape[0], *self.shape))
