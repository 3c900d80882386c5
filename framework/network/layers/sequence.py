"""Checks of sequences: [batch, time, features] and their masks [batch, time]."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from framework.network.layers.wording import printed


def require_sequence(x: jax.Array, layer: str) -> None:
    """Refuses an array that is not [batch, time, features].

    Raises:
      ValueError: the rank is not 3.
    """
    if x.ndim == 3:
        return
    mend = {
        1: "put an embed before it",
        2: "put an embed before it for tokens, or a reshape, e.g. {reshape: {shape: [-1, 1]}}",
    }.get(x.ndim, "put a reshape before it, e.g. {reshape: {shape: [-1, " + str(x.shape[-1]) + "]}}")
    raise ValueError(f"found rank {x.ndim} {printed(x.shape)}, {layer} needs [batch, time, features]; {mend}")


def as_boolean(mask: jax.Array) -> jax.Array:
    """A mask as booleans: anything but 0 is true.

    Raises:
      ValueError: the mask holds real numbers, which might be meant to be added to logits.
    """
    if jnp.issubdtype(mask.dtype, jnp.inexact):
        raise ValueError(
            f"found a mask of {mask.dtype} {printed(mask.shape)}, a mask needs booleans or integers; "
            "compare it with a number first, e.g. {expr: 'mask > 0'}"
        )
    return mask != 0
