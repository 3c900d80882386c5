"""Which logits of attention count."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


def masked(logits: jax.Array, mask: jax.Array | None, causal: bool) -> jax.Array:
    """Logits [..., query time, key time] with the lowest number where a query may not see a key.

    Args:
      mask: boolean, of a shape that broadcasts; true for what may be seen.
      causal: query q sees keys 0 to q.
    """
    lowest = jnp.finfo(logits.dtype).min
    if causal:
        rows = lax.broadcasted_iota(jnp.int32, logits.shape[-2:], 0)
        columns = lax.broadcasted_iota(jnp.int32, logits.shape[-2:], 1)
        logits = jnp.where(columns <= rows, logits, lowest)
    return logits if mask is None else jnp.where(mask, logits, lowest)
