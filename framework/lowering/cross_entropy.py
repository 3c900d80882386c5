"""Cross-entropy of one class out of many."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.custom_vjp
def label_cost(logits: jax.Array, labels: jax.Array, smoothing: jax.Array | None) -> jax.Array:
    """log sum_c exp z_c - (1 - s) z_label - s mean_c z_c, in float32 or wider, over the last axis of z.

    The logits are kept for the backward pass as they are given, and one number a row; neither probabilities nor a
    one-hot array, nor half-precision logits in single precision, are:

        dz = dy (exp(z - log total) - (1 - s) onehot - s / classes)

    Args:
      logits: z, [..., classes].
      labels: [...] integers; one outside the classes costs NaN.
      smoothing: s, a scalar; None: 0, also where logits are -inf.
    """
    return _forward(logits, labels, smoothing)[0]


def _forward(
    logits: jax.Array, labels: jax.Array, smoothing: jax.Array | None
) -> tuple[jax.Array, tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array | None]]:
    wide = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    largest = wide.max(-1)
    # Shifted by the largest logit, the differences below keep their digits where logits are large and close together.
    shifted = wide - largest[..., None]
    log_total = jnp.log(jnp.exp(shifted).sum(-1))
    own = jnp.where(_is_label(wide, labels), shifted, 0).sum(-1)
    cost = log_total - own
    if smoothing is not None:
        cost = cost + smoothing * (own - shifted.mean(-1))
    cost = jnp.where((labels >= 0) & (labels < logits.shape[-1]), cost, jnp.nan)
    return cost, (logits, labels, largest, log_total, smoothing)


def _backward(
    kept: tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array | None], dy: jax.Array
) -> tuple[jax.Array, None, jax.Array | None]:
    logits, labels, largest, log_total, smoothing = kept
    shifted = logits.astype(dy.dtype) - largest[..., None]
    label = _is_label(shifted, labels)
    odds = jnp.exp(shifted - log_total[..., None])
    if smoothing is None:
        return (dy[..., None] * jnp.where(label, odds - 1, odds)).astype(logits.dtype), None, None
    share = odds - jnp.where(label, 1 - smoothing, 0) - smoothing / logits.shape[-1]
    own = jnp.where(label, shifted, 0).sum(-1)
    dsmoothing = jnp.sum(dy * (own - shifted.mean(-1))).astype(smoothing.dtype)
    return (dy[..., None] * share).astype(logits.dtype), None, dsmoothing


def _is_label(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Compared and not gathered, so that it fuses with what reads it and classes can be divided over devices."""
    return labels[..., None] == lax.broadcasted_iota(labels.dtype, logits.shape, logits.ndim - 1)


label_cost.defvjp(_forward, _backward)
