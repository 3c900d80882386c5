"""Attention with a backward pass of its own."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.attention_mask import masked, sight

Kept = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]


@partial(jax.custom_vjp, nondiff_argnums=(4,))
def fused_attend(query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array | None, causal: bool) -> jax.Array:
    """What `framework.lowering.attention.attend` means, without dropout and bias, for as many heads of keys as queries.

    With weights p, output o and what comes back do, the logits' gradient is

        ds = p (do · v - sum(do · o))

    so that no sum over p is needed. Heads are laid out before the products, each operand once, and as the products on
    the CPU want them: a product of two arrays that are both summed over their second to last axis is half as fast.
    """
    return _forward(query, key, value, mask, causal)[0]


def _forward(
    query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array | None, causal: bool
) -> tuple[jax.Array, Kept]:
    wide = jnp.promote_types(query.dtype, jnp.float32)
    query = query * (1 / math.sqrt(query.shape[-1]))
    key, value = _rows(key), _rows(value)
    logits = jnp.einsum("bhqf,bhkf->bhqk", _rows(query), key, preferred_element_type=wide)
    seen = sight(logits.shape[-2], logits.shape[-1], mask, causal)
    logits = masked(logits, seen)
    powers = jnp.exp(logits - logits.max(-1, keepdims=True))
    if mask is not None and seen is not None:
        powers = jnp.where(seen, powers, 0)  # a query may see nothing
    total = powers.sum(-1, keepdims=True)
    share = 1 / total if mask is None else jnp.where(total > 0, 1 / jnp.where(total > 0, total, 1), 0)
    weights = (powers * share).astype(value.dtype)
    y = _rows(jnp.einsum("bhqk,bhkf->bhqf", weights, value))
    return y, (query, key, value, weights, y)


def _backward(causal: bool, kept: Kept, dy: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, None]:
    del causal  # the weights are 0 where nothing is seen
    query, key, value, weights, y = kept
    wide = jnp.promote_types(query.dtype, jnp.float32)
    dvalue = jnp.einsum("bhfq,bhqk->bhfk", _columns(dy), weights)
    slack = _rows(jnp.sum((dy * y).astype(wide), -1, keepdims=True))
    dweights = jnp.einsum("bhqf,bhkf->bhqk", _rows(dy), value, preferred_element_type=wide)
    # Written out once; else it is computed for each of the two products that read it.
    dlogits = lax.optimization_barrier((weights * (dweights - slack)).astype(query.dtype))
    dquery = jnp.einsum("bhqk,bhkf->bhqf", dlogits, key) * (1 / math.sqrt(query.shape[-1]))
    dkey = jnp.einsum("bhfq,bhqk->bhfk", _columns(query), dlogits)
    return _rows(dquery), dkey.transpose(0, 3, 1, 2), dvalue.transpose(0, 3, 1, 2), None


def _rows(x: jax.Array) -> jax.Array:
    """[batch, time, heads, features] as [batch, heads, time, features], and back."""
    return x.transpose(0, 2, 1, 3)


def _columns(x: jax.Array) -> jax.Array:
    """[batch, time, heads, features] as [batch, heads, features, time]."""
    return x.transpose(0, 2, 3, 1)


fused_attend.defvjp(_forward, _backward)
