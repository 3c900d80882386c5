"""Positions as attention knows them: by rotation of queries and keys, or by a bias of their products."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from framework.network.layers.wording import printed


def rotated(x: jax.Array, base: float, start: int | jax.Array = 0) -> jax.Array:
    """Each pair of features turned by an angle that grows with the position, pair by pair more slowly.

    (y_i, y_{i + half}) = (x_i cos a - x_{i + half} sin a, x_{i + half} cos a + x_i sin a), a = time · base^(-i / half)

    A pair is feature i of the first half and feature i of the second, as in the published weights of Llama; the paper
    pairs neighbours (2i, 2i + 1), which is the same up to an order of the features. The product of a turned query and
    a turned key depends on how far apart they are alone. Angles are in radians, in float32 or better.

    Shapes: [batch, time, heads, features] -> same.

    Args:
      start: the place in time of the first position.

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
    angles = (start + jnp.arange(x.shape[1], dtype=jnp.int32)).astype(wide)[:, None, None] * speeds
    cosines, sines = jnp.cos(angles), jnp.sin(angles)
    first, second = x[..., :half].astype(wide), x[..., half:].astype(wide)
    turned = (first * cosines - second * sines, second * cosines + first * sines)
    return jnp.concatenate(turned, axis=-1).astype(x.dtype)


def distances(queries: int, keys: int, start: int | jax.Array = 0) -> jax.Array:
    """k - q for each query and key: int32[queries, keys].

    Args:
      start: the place in time of the first query; the first key is at 0.
    """
    return jnp.arange(keys, dtype=jnp.int32) - (start + jnp.arange(queries, dtype=jnp.int32))[:, None]


def alibi_slopes(heads: int) -> tuple[float, ...]:
    """By how much the logits of each head fall with the distance: 2^(-8 (h + 1) / heads).

    Where heads is no power of two, those of the power below come first, then every second of those of the power above.

    Source: Press et al., arXiv:2108.12409, section 3, and its published code.
    """
    power = 2 ** int(math.log2(heads))
    first = [2 ** (-8 * (head + 1) / power) for head in range(power)]
    more = [2 ** (-8 * (head + 1) / (2 * power)) for head in range(0, 2 * power, 2)]
    return tuple((first + more)[:heads])


def alibi(heads: int, distance: jax.Array) -> jax.Array:
    """A penalty by distance for each head: float32[heads, queries, keys]."""
    slopes = jnp.asarray(alibi_slopes(heads), jnp.float32)
    return -slopes[:, None, None] * jnp.abs(distance).astype(jnp.float32)


def bucket(distance: jax.Array, buckets: int, furthest: int, *, causal: bool) -> jax.Array:
    """The bucket in [0, buckets) of each distance k - q; int32 of the same shape.

    Half of the buckets of one direction hold one distance each, the others logarithmically more, and the last one all
    from `furthest` on. With `causal` there is one direction, back; else keys ahead have the second half of the buckets.

    Source: Raffel et al., arXiv:1910.10683, section 2.1.
    """
    ahead = jnp.zeros_like(distance)
    if causal:
        away = jnp.maximum(-distance, 0)
    else:
        buckets //= 2
        ahead = jnp.where(distance > 0, buckets, 0)
        away = jnp.abs(distance)
    exact = buckets // 2
    grown = jnp.log(jnp.maximum(away, exact).astype(jnp.float32) / exact) / math.log(furthest / exact)
    coarse = exact + (grown * (buckets - exact)).astype(jnp.int32)
    return ahead + jnp.where(away < exact, away, jnp.minimum(coarse, buckets - 1))
