"""Samples of laws: [batch, ...] -> same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.scipy.special import ndtri

from framework.core.counter import counter_bits
from framework.network import costs
from framework.network.context import Context
from framework.network.layers.wording import printed


class GaussianSample(nn.Module):
    """A sample of a normal law; see the schema of the same name."""

    limit: float = 20.0

    @nn.compact
    def __call__(self, mean: jax.Array, log_variance: jax.Array, *, context: Context) -> jax.Array:
        if mean.shape != log_variance.shape:
            raise ValueError(
                f"found mean {printed(mean.shape)} and log_variance {printed(log_variance.shape)}, they need one "
                "shape; make both of one layer's width"
            )
        wide = jnp.promote_types(mean.dtype, jnp.float32)
        center = mean.astype(wide)
        spread = jnp.clip(log_variance.astype(wide), -self.limit, self.limit)
        divergence = (jnp.square(center) + jnp.expm1(spread) - spread) / 2
        costs.tell(self, "kl", jnp.sum(divergence, tuple(range(1, mean.ndim))))
        if not context.train:
            return mean
        noise = normal(self.make_rng("dropout"), mean.shape, context.axis).astype(wide)
        return (center + jnp.exp(spread / 2) * noise).astype(mean.dtype)


def normal(key: jax.Array, shape: tuple[int, ...], axis: str | None) -> jax.Array:
    """Numbers of the standard normal law, float32, by the position of each alone.

    Args:
      shape: rows first.
      axis: name of the axis over which other devices draw for rows of their own; together they draw what one would.
    """
    first_row = 0 if axis is None or not shape else lax.axis_index(axis) * shape[0]
    # The middle of each of 2^23 steps, which float32 tells apart: neither 0 nor 1, whose quantiles are infinite.
    uniform = ((counter_bits(key, shape, first_row) >> 9).astype(jnp.float32) + 0.5) * 2.0**-23
    return ndtri(uniform)
