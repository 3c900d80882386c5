"""Statistics of what passes: any shape -> same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from framework.network import costs
from framework.network.context import Context


class Probe(nn.Module):
    """Statistics of the input; see the schema of the same name."""

    label: str

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        if costs.asked_for(self):
            seen = lax.stop_gradient(x)
            seen = seen.astype(jnp.promote_types(seen.dtype, jnp.float32))
            over = tuple(range(1, x.ndim))
            statistics = {
                "mean": jnp.mean(seen, over),
                "rms": jnp.sqrt(jnp.mean(jnp.square(seen), over)),
                "zeros": jnp.mean((seen == 0).astype(seen.dtype), over),
            }
            for name, values in statistics.items():
                costs.tell(self, f"{self.label}_{name}", values)
        return x
