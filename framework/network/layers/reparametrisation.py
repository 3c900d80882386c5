"""Kernels that are normalised before they are used: by their length, or by their largest singular value."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from framework.network.context import Context

_FIRST_ITERATIONS = 10


def normed_kernel(module: nn.Module, kernel: jax.Array, kind: str | None, context: Context) -> jax.Array:
    """What a layer multiplies by, from the kernel that it keeps.

    weight:   scale · kernel / |kernel|, with one length and one trained `scale` for each output feature
    spectral: kernel / sigma, with sigma the largest singular value of the kernel as a matrix [inputs, features]

    sigma is followed by one step of the power method in each training step; its vector of features is kept among the
    statistics as `kernel_u`, and no gradient runs through the vectors.

    Args:
      module: the layer, in whose call this stands.
      kernel: [..., features].
      kind: `weight`, `spectral`, or None: as it is.
    """
    if kind is None:
        return kernel
    wide = kernel.astype(jnp.promote_types(kernel.dtype, jnp.float32))
    matrix = wide.reshape(-1, wide.shape[-1])
    if kind == "weight":
        length = jnp.sqrt(jnp.square(matrix).sum(0))
        # The scale starts as the length, so that the layer starts as it would without.
        scale = module.param("scale", lambda key, shape, dtype: length.astype(dtype), length.shape, kernel.dtype)
        return (wide * (scale.astype(wide.dtype) / length)).astype(kernel.dtype)

    def first() -> jax.Array:
        start = jax.random.normal(module.make_rng("params"), (matrix.shape[-1],), jnp.float32)
        return lax.fori_loop(0, _FIRST_ITERATIONS, lambda _, u: _stepped(matrix, u)[0].astype(u.dtype), _unit(start))

    kept = module.variable("batch_stats", "kernel_u", first)
    u, v = _stepped(lax.stop_gradient(matrix), kept.value)
    if not context.train or context.frozen:
        u = _unit(kept.value.astype(wide.dtype))
    elif not module.is_initializing():
        kept.value = u.astype(kept.value.dtype)
    sigma = jnp.einsum("i,ij,j->", v, matrix, u)
    return (wide / sigma).astype(kernel.dtype)


def _stepped(matrix: jax.Array, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """One step of the power method: the next right vector [features], and the left one [inputs] that it came by."""
    v = _unit(matrix @ u.astype(matrix.dtype))
    return _unit(v @ matrix), v


def _unit(x: jax.Array) -> jax.Array:
    return x / jnp.maximum(jnp.sqrt(jnp.square(x).sum()), 1e-12)
