"""Optimizers compute in float32 at least, whatever the parameters' type."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax


def in_float32(inner: optax.GradientTransformation) -> optax.GradientTransformation:
    """`inner` with state and arithmetic in float32 for half-precision parameters; updates have the parameters' type.

    A bfloat16 has 8 bits: a second moment that decays by 0.999 would never move. Wider parameters pass through as they
    are, at no cost.
    """

    def init(params: Any) -> Any:
        return inner.init(_widened(params))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        narrow = updates if params is None else params
        updates, state = inner.update(_widened(updates), state, None if params is None else _widened(params))
        return jax.tree.map(lambda update, like: update.astype(like.dtype), updates, narrow), state

    return optax.GradientTransformation(init, update)


def _widened(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32)), tree)
