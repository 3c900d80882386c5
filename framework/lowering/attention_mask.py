"""Which logits of attention count."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


def sight(queries: int, keys: int, mask: jax.Array | None, causal: bool) -> jax.Array | None:
    """Which keys a query sees: boolean, of a shape that broadcasts to [..., query time, key time]; None: all of them.

    Args:
      mask: boolean, of such a shape; true for what may be seen.
      causal: query q sees keys 0 to q.
    """
    if not causal:
        return mask
    rows = lax.broadcasted_iota(jnp.int32, (queries, keys), 0)
    columns = lax.broadcasted_iota(jnp.int32, (queries, keys), 1)
    earlier = columns <= rows
    return earlier if mask is None else mask & earlier


def masked(logits: jax.Array, seen: jax.Array | None) -> jax.Array:
    """Logits with the lowest number where `seen` is false."""
    return logits if seen is None else jnp.where(seen, logits, jnp.finfo(logits.dtype).min)
