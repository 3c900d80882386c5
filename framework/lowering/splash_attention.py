"""Attention by the kernel that JAX has for TPUs.

It was compared with the other forms in the interpreter that stands in for a TPU; it has not run on one.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp

_KERNELS = "jax.experimental.pallas.ops.tpu.splash_attention"

_LANES = 128
"""Sizes of blocks are multiples of the width of a TPU's vector register."""

_LARGEST = 512


def splash_fits(query: jax.Array, key: jax.Array, causal: bool) -> bool:
    """Whether the kernel takes query [batch, query time, heads, features] and key [batch, key time, groups, features].

    Times are multiples of 128 and, where attention is causal, the same; features are a multiple of 64; numbers have 16
    or 32 bits.
    """
    queries, keys, features = query.shape[1], key.shape[1], query.shape[-1]
    known = query.dtype in (jnp.float32, jnp.bfloat16)
    return known and queries % _LANES == keys % _LANES == features % 64 == 0 and (queries == keys or not causal)


def splash_attend(
    query: jax.Array, key: jax.Array, value: jax.Array, causal: bool, *, interpret: bool = False
) -> jax.Array:
    """What `framework.lowering.attention.attend` means, without mask, dropout and bias, where `splash_fits`.

    Source: jax.experimental.pallas.ops.tpu.splash_attention.
    """
    # Pallas takes a part of a second to import, and only a TPU needs it.
    splash: Any = import_module(_KERNELS)

    (_, queries, heads, features), keys = query.shape, key.shape[1]
    one = (splash.CausalMask if causal else splash.FullMask)((queries, keys))
    rows, columns = _block(queries), _block(keys)
    kernel = splash.make_splash_mha(
        splash.MultiHeadMask([one] * heads),
        block_sizes=splash.BlockSizes(
            block_q=rows,
            block_kv=columns,
            block_q_dkv=rows,
            block_kv_dkv=columns,
            block_q_dq=rows,
            block_kv_dq=columns,
        ),
        head_shards=1,
        q_seq_shards=1,
        interpret=interpret,
    )
    query = query * (1 / math.sqrt(features))
    attended: Any = jax.vmap(kernel)
    return attended(*(x.transpose(0, 2, 1, 3) for x in (query, key, value))).transpose(0, 2, 1, 3)


def _block(time: int) -> int:
    """The largest block that divides the time."""
    return next(size for size in range(_LARGEST, 0, -_LANES) if time % size == 0)
