"""Positions told by rotation: what attention turns its queries and keys by."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from framework.network.layers.wording import printed


def rotated(x: jax.Array, base: float) -> jax.Array:
    """Each pair of features turned by an angle that grows with the position, pair by pair more slowly.

    (y_i, y_{i + half}) = (x_i cos a - x_{i + half} sin a, x_{i + half} cos a + x_i sin a), a = time · base^(-i / half)

    A pair is feature i of the first half and feature i of the second, as in the published weights of Llama; the paper
    pairs neighbours (2i, 2i + 1), which is the same up to an order of the features. The product of a turned query and
    a turned key depends on how far apart they are alone. Angles are in radians, in float32 or better.

    Shapes: [batch, time, heads, features] -> same.

    Raises:
      ValueError: the number of features is odd.
    Source: Su et al., arXiv:2104.09864, section 3.2.
    """
    features = x.shape[-1]
    if features % 2:
        raise ValueError(
            f"found heads {printed(x.shape)} of {features} features, rotary positions turn pairs and need an even "
            f"number; set head_features={features + 1}, or position: none"
        )
    half = features // 2
    wide = jnp.promote_types(x.dtype, jnp.float32)
    speeds = jnp.power(base, -jnp.arange(half, dtype=wide) / half)
    angles = jnp.arange(x.shape[1], dtype=wide)[:, None, None] * speeds
    cosines, sines = jnp.cos(angles), jnp.sin(angles)
    first, second = x[..., :half].astype(wide), x[..., half:].astype(wide)
    turned = (first * cosines - second * sines, second * cosines + first * sines)
    return jnp.concatenate(turned, axis=-1).astype(x.dtype)
