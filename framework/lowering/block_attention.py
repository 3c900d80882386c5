"""Attention block by block, so that no array of all weights is ever made, neither forward nor backward."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.attention_tiles import Tiles

Kept = tuple[jax.Array, jax.Array, jax.Array, jax.Array | None, jax.Array, jax.Array]
Carry = tuple[jax.Array, ...]
Pair = tuple[jax.Array, jax.Array]


@partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def block_attend(
    query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array | None, causal: bool, block: int
) -> jax.Array:
    """What `framework.lowering.attention.attend` means, without dropout and bias, `block` queries and keys at a time.

    Of each query the largest logit so far, m, the sum of exp(logit - m) and the same sum of values go on from one block
    of keys to the next, times exp(m - m') where a block has a larger m'. Kept until the backward pass are the output
    and log sum exp(logit), from which the weights of each block are made again. Blocks that causal attention cannot see
    are left out. Memory grows with time, not with its square, unless a mask does.

    Source: Dao et al., arXiv:2205.14135; the backward pass is algorithm 2 of arXiv:2307.08691.
    """
    return _forward(query, key, value, mask, causal, block)[0]


def _forward(
    query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array | None, causal: bool, block: int
) -> tuple[jax.Array, Kept]:
    tiles = Tiles(query.shape[1], key.shape[1], key.shape[2], block, causal)
    wide = jnp.promote_types(query.dtype, jnp.float32)
    queries, keys, values = _scaled(tiles, query), tiles.cut(key)[:, :, :, 0], tiles.cut(value)[:, :, :, 0]
    seen = tiles.cut_mask(mask)

    def step(carry: Carry, pair: Pair) -> tuple[Carry, None]:
        row, column = pair
        largest, total, summed, outputs, logs = carry
        first = column == 0
        largest = jnp.where(first, jnp.finfo(wide).min, largest)
        total, summed = jnp.where(first, 0, total), jnp.where(first, 0, summed)
        visible = tiles.visible(seen, row, column)
        logits = _logits(queries[row], keys[column], wide)
        if visible is not None:
            logits = jnp.where(visible, logits, jnp.finfo(wide).min)
        larger = jnp.maximum(largest, logits.max(-1))
        powers = jnp.exp(logits - larger[..., None])
        if visible is not None:
            powers = jnp.where(visible, powers, 0)
        shrunk = jnp.exp(largest - larger)
        total = total * shrunk + powers.sum(-1)
        part = jnp.einsum("bgrqk,bgkf->bgrqf", powers.astype(value.dtype), values[column], preferred_element_type=wide)
        summed = summed * shrunk[..., None] + part
        divisor = jnp.where(total > 0, total, 1)
        # Written after each block of keys; what stays is what the last one writes.
        outputs = _put(outputs, (summed / divisor[..., None]).astype(outputs.dtype), row)
        logs = _put(logs, larger + jnp.log(divisor), row)
        return (larger, total, summed, outputs, logs), None

    rows = queries.shape[1:-1]
    start = (
        jnp.zeros(rows, wide),
        jnp.zeros(rows, wide),
        jnp.zeros((*rows, value.shape[-1]), wide),
        jnp.zeros((*queries.shape[:-1], value.shape[-1]), value.dtype),
        jnp.zeros(queries.shape[:-1], wide),
    )
    *_, outputs, logs = lax.scan(step, start, tiles.pairs())[0]
    y = tiles.joined(outputs, tiles.queries)
    return y, (query, key, value, mask, y, logs)


def _backward(causal: bool, block: int, kept: Kept, dy: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, None]:
    query, key, value, mask, y, logs = kept
    tiles = Tiles(query.shape[1], key.shape[1], key.shape[2], block, causal)
    wide = logs.dtype
    queries, keys, values = _scaled(tiles, query), tiles.cut(key)[:, :, :, 0], tiles.cut(value)[:, :, :, 0]
    seen, given = tiles.cut_mask(mask), tiles.cut(dy)
    slack = tiles.cut(jnp.sum((dy * y).astype(wide), -1, keepdims=True))

    def step(carry: Carry, pair: Pair) -> tuple[Carry, None]:
        row, column = pair
        dqueries, dkeys, dvalues = carry
        visible = tiles.visible(seen, row, column)
        powers = jnp.exp(_logits(queries[row], keys[column], wide) - logs[row][..., None])
        weights = powers if visible is None else jnp.where(visible, powers, 0)
        dweights = _logits(given[row], values[column], wide)
        dlogits = (weights * (dweights - slack[row])).astype(query.dtype)
        weights = weights.astype(value.dtype)
        add = partial(jnp.einsum, preferred_element_type=wide)
        dqueries = _put(dqueries, dqueries[row] + add("bgrqk,bgkf->bgrqf", dlogits, keys[column]), row)
        dkeys = _put(dkeys, dkeys[column] + add("bgrqk,bgrqf->bgkf", dlogits, queries[row]), column)
        dvalues = _put(dvalues, dvalues[column] + add("bgrqk,bgrqf->bgkf", weights, given[row]), column)
        return (dqueries, dkeys, dvalues), None

    start = tuple(jnp.zeros(x.shape, wide) for x in (queries, keys, values))
    dqueries, dkeys, dvalues = lax.scan(step, start, tiles.pairs())[0]
    dquery = tiles.joined(dqueries, tiles.queries) * (1 / math.sqrt(query.shape[-1]))
    dkey, dvalue = (tiles.joined(x[:, :, :, None], tiles.keys) for x in (dkeys, dvalues))
    return dquery.astype(query.dtype), dkey.astype(key.dtype), dvalue.astype(value.dtype), None


def _scaled(tiles: Tiles, query: jax.Array) -> jax.Array:
    return tiles.cut(query * (1 / math.sqrt(query.shape[-1])))


def _logits(query: jax.Array, key: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """query_q · key_k of a block: [batch, groups, heads / groups, q, k]."""
    return jnp.einsum("bgrqf,bgkf->bgrqk", query, key, preferred_element_type=dtype)


def _put(blocks: jax.Array, block: jax.Array, index: jax.Array) -> jax.Array:
    return lax.dynamic_update_index_in_dim(blocks, block, index, 0)


block_attend.defvjp(_forward, _backward)
