"""How parameters start: the initialisers by the names that recipes use, and the number formats."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax.nn import initializers

_FIXED = {
    "zeros": initializers.zeros,
    "ones": initializers.ones,
    "normal": initializers.normal(0.02),
    "truncated_normal": initializers.truncated_normal(0.02),
}
_SCALED = {
    "lecun_normal": initializers.lecun_normal,
    "lecun_uniform": initializers.lecun_uniform,
    "glorot_normal": initializers.glorot_normal,
    "glorot_uniform": initializers.glorot_uniform,
    "he_normal": initializers.he_normal,
    "he_uniform": initializers.he_uniform,
}


def initializer(
    name: str,
    in_axis: int | Sequence[int] = -2,
    out_axis: int | Sequence[int] = -1,
    batch_axis: Sequence[int] = (),
) -> initializers.Initializer:
    """The initialiser that a recipe calls `name`.

    A scaled one counts inputs along `in_axis`, outputs along `out_axis` and takes each index of `batch_axis` for a
    kernel of its own; the remaining axes are the space that a convolution kernel covers. A bias has one axis alone,
    which scaled initialisers take for both, as they take any array of rank one.
    """
    if name in _FIXED:
        return _FIXED[name]
    return partial(_initialise, name, in_axis, out_axis, batch_axis)


def _initialise(
    name: str,
    in_axis: int | Sequence[int],
    out_axis: int | Sequence[int],
    batch_axis: Sequence[int],
    key: jax.Array,
    shape: Sequence[int],
    dtype: jnp.dtype = jnp.float32,
) -> jax.Array:
    if name == "uniform":
        return jax.random.uniform(key, shape, dtype, -0.05, 0.05)
    full = (1, *shape) if len(shape) == 1 else tuple(shape)
    if name == "orthogonal":
        # The decomposition behind it does not take half precision.
        wide = initializers.orthogonal()(key, full, jnp.promote_types(dtype, jnp.float32))
        return wide.astype(dtype).reshape(shape)
    return _SCALED[name](in_axis, out_axis, batch_axis)(key, full, dtype).reshape(shape)


def parameter_dtype(name: str | None) -> jnp.dtype:
    """The number format that parameters are kept in."""
    return jnp.dtype(name or "float32")
