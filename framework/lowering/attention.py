"""Attention weights and what they gather."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from framework.lowering.attention_form import BLOCK, attention_form
from framework.lowering.attention_mask import masked, sight
from framework.lowering.block_attention import block_attend
from framework.lowering.choice import lean
from framework.lowering.fused_attention import fused_attend
from framework.lowering.splash_attention import splash_attend


def attend(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    *,
    mask: jax.Array | None = None,
    bias: jax.Array | None = None,
    causal: bool = False,
    drop: Callable[[jax.Array], jax.Array] | None = None,
) -> jax.Array:
    """softmax_k(query_q · key_k / sqrt(features)) value_k, for each head; the softmax in float32 or better.

    Args:
      query: [batch, query time, heads, features].
      key: [batch, key time, groups, features]; groups divides heads, and query head h reads group
        floor(h · groups / heads).
      value: [batch, key time, groups, features].
      mask: boolean, [batch or 1, heads or 1, query time or 1, key time]; true for what may be seen. A query that may
        see nothing gets 0.
      bias: added to the products, [batch or 1, heads or 1, query time, key time].
      causal: query q sees keys 0 to q.
      drop: applied to the weights, e.g. dropout.

    Returns:
      [batch, query time, heads, features].
    """
    form = attention_form(query, key, mask, simple=bias is None and drop is None, causal=causal)
    if form == "fused":
        attended = partial(_fused, mask=mask, causal=causal)
        return (jax.checkpoint(attended) if lean() else attended)(query, key, value)
    if form == "blocks":
        return block_attend(query, key, value, mask, causal, BLOCK)
    if form == "splash":
        return splash_attend(query, key, value, causal)
    if form == "cudnn":
        return jax.nn.dot_product_attention(query, key, value, is_causal=causal, implementation="cudnn")
    if drop is None and lean():
        return jax.checkpoint(partial(_plain, causal=causal))(query, key, value, mask, bias)
    return _plain(query, key, value, mask, bias, causal, drop)


def _plain(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    mask: jax.Array | None,
    bias: jax.Array | None,
    causal: bool,
    drop: Callable[[jax.Array], jax.Array] | None = None,
) -> jax.Array:
    wide = jnp.promote_types(query.dtype, jnp.float32)
    # Scaling the query costs time · features, scaling the logits time².
    query = query * (1 / math.sqrt(query.shape[-1]))
    logits = _products(query, key, wide)
    if bias is not None:
        logits = logits + bias.astype(wide)
    seen = sight(logits.shape[-2], logits.shape[-1], mask, causal)
    weights = jax.nn.softmax(masked(logits, seen), axis=-1)
    if mask is not None and seen is not None:
        weights = jnp.where(seen, weights, 0)  # a query may see nothing
    weights = weights.astype(value.dtype)
    if drop is not None:
        weights = drop(weights)
    return _gathered(weights, value)


def _fused(query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array | None, causal: bool) -> jax.Array:
    return fused_attend(query, key, value, mask, causal)


def _products(query: jax.Array, key: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """query_q · key_k for each head; [batch, heads, query time, key time]."""
    batch, queries, heads, features = query.shape
    groups = key.shape[2]
    if groups == heads:
        return jnp.einsum("bqhf,bkhf->bhqk", query, key, preferred_element_type=dtype)
    # A head of keys is read where it lies, not copied for each of its queries.
    grouped = query.reshape(batch, queries, groups, heads // groups, features)
    products = jnp.einsum("bqghf,bkgf->bghqk", grouped, key, preferred_element_type=dtype)
    return products.reshape(batch, heads, queries, key.shape[1])


def _gathered(weights: jax.Array, value: jax.Array) -> jax.Array:
    """sum_k weights[q, k] value_k for each head; [batch, query time, heads, features]."""
    batch, heads, queries, keys = weights.shape
    groups = value.shape[2]
    if groups == heads:
        return jnp.einsum("bhqk,bkhf->bqhf", weights, value)
    grouped = weights.reshape(batch, groups, heads // groups, queries, keys)
    return jnp.einsum("bghqk,bkgf->bqghf", grouped, value).reshape(batch, queries, heads, value.shape[-1])
