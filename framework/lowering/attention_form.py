"""Which form attention takes.

xla     products and a softmax, as JAX differentiates them
fused   the same with a backward pass of its own, which keeps the weights
blocks  an online softmax that keeps no weights: memory grows with time, not with its square
cudnn   cuDNN's kernel, on a GPU
splash  the kernel that JAX has for TPUs
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from framework.lowering.choice import AUTO, affords, asked, platform, whole
from framework.lowering.splash_attention import splash_fits

BLOCK = 128
"""How many queries, and how many keys, a block has."""


def attention_form(query: jax.Array, key: jax.Array, mask: object, *, simple: bool, causal: bool) -> str:
    """The form for query [batch, query time, heads, features] and key [batch, key time, groups, features].

    Args:
      mask: something, or None.
      simple: there is neither dropout nor a bias, without which only `xla` can do.
    """
    form = asked("attention")
    if form == "xla" or not simple:
        return "xla"
    if form != AUTO:
        return form if _can(form, query, key, mask, causal) else "xla"
    if _long(query, key) and not any(_can(kernel, query, key, mask, causal) for kernel in ("splash", "cudnn")):
        return "blocks"
    best = {"cpu": "fused", "gpu": "cudnn", "tpu": "splash"}.get(platform(), "xla")
    return best if _can(best, query, key, mask, causal) else "xla"


def _long(query: jax.Array, key: jax.Array) -> bool:
    """Whether the weights, of which one array and its gradient are made at once, take more memory than there is."""
    (batch, queries, heads, _), keys = query.shape, key.shape[1]
    return min(queries, keys) > 2 * BLOCK and not affords(4 * batch * heads * queries * keys)


def _can(form: str, query: jax.Array, key: jax.Array, mask: object, causal: bool) -> bool:
    """Whether a form exists for these arrays on this platform.

    cuDNN's kernel takes heads of up to 128 features, a multiple of 8. Its mask is added to the logits, so that a query
    that sees nothing would see everything.
    """
    if form == "cudnn":
        half, features = query.dtype in (jnp.bfloat16, jnp.float16), query.shape[-1]
        return platform() == "gpu" and mask is None and half and features % 8 == 0 and features <= 128
    if form == "splash":
        return platform() == "tpu" and mask is None and whole() and splash_fits(query, key, causal)
    return form != "fused" or query.shape[2] == key.shape[2]
