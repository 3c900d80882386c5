"""How parameters start: the initialisers by the names that recipes use, and the number formats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import initializers

from framework.config.schema.layers.initializers import INITIALIZERS, InitializerSpec
from framework.network.abstract import starts_matter

Init = str | InitializerSpec
"""An initialiser as a layer's attribute: a name, or a name with arguments."""

Axes = int | Sequence[int]


def initializer(
    init: Init, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Sequence[int] = ()
) -> initializers.Initializer:
    """The initialiser that a recipe names.

    A scaled one counts inputs along `in_axis`, outputs along `out_axis` and takes each index of `batch_axis` for a
    kernel of its own; the remaining axes are the space that a convolution kernel covers. A bias has one axis alone,
    which scaled initialisers take for both, as they take any array of rank one.
    """
    if not starts_matter():
        return initializers.zeros
    spec = INITIALIZERS[init]() if isinstance(init, str) else init
    arguments = {name: getattr(spec, name) for name in type(spec).model_fields}
    if spec.op in _FIXED:
        return _FIXED[spec.op](**arguments)
    return partial(_initialise, spec.op, tuple(arguments.items()), in_axis, out_axis, batch_axis)


def parameter_dtype(name: str | None) -> jnp.dtype:
    """The number format that parameters are kept in."""
    return jnp.dtype(name or "float32")


def _initialise(
    name: str,
    arguments: tuple[tuple[str, Any], ...],
    in_axis: Axes,
    out_axis: Axes,
    batch_axis: Sequence[int],
    key: jax.Array,
    shape: Sequence[int],
    dtype: Any = jnp.float32,
) -> jax.Array:
    full = (1, *shape) if len(shape) == 1 else tuple(shape)
    if name in _MATRICES:
        # The decomposition behind some of them does not take half precision.
        wide = jnp.promote_types(dtype, jnp.float32)
        return _MATRICES[name](key, full, wide, **dict(arguments)).astype(dtype).reshape(shape)
    scaled = partial(initializers.variance_scaling, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)
    return _SCALED[name](scaled, **dict(arguments))(key, full, dtype).reshape(shape)


def _zeros() -> initializers.Initializer:
    return initializers.zeros


def _ones() -> initializers.Initializer:
    return initializers.ones


def _normal(stddev: float, mean: float) -> initializers.Initializer:
    return _moved(initializers.normal(stddev), mean)


def _truncated_normal(stddev: float, mean: float, lower: float, upper: float) -> initializers.Initializer:
    return _moved(initializers.truncated_normal(stddev, lower=lower, upper=upper), mean)


def _uniform(low: float, high: float) -> Any:
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(key, shape, dtype, low, high)


def _moved(init: initializers.Initializer, mean: float) -> Any:
    if mean == 0:
        return init
    return lambda key, shape, dtype=jnp.float32: init(key, shape, dtype) + jnp.asarray(mean, dtype)


_FIXED: dict[str, Any] = {
    "zeros": _zeros,
    "ones": _ones,
    "constant": initializers.constant,
    "normal": _normal,
    "truncated_normal": _truncated_normal,
    "uniform": _uniform,
}


def _he(distribution: str) -> Any:
    def make(scaled: Any, mode: str, negative_slope: float) -> initializers.Initializer:
        return scaled(2 / (1 + negative_slope**2), mode, distribution)

    return make


def _glorot(distribution: str) -> Any:
    return lambda scaled, gain: scaled(gain**2, "fan_avg", distribution)


def _lecun(distribution: str) -> Any:
    return lambda scaled: scaled(1.0, "fan_in", distribution)


_SCALED: dict[str, Any] = {
    "variance_scaling": lambda scaled, scale, mode, distribution: scaled(scale, mode, distribution),
    "lecun_normal": _lecun("truncated_normal"),
    "lecun_uniform": _lecun("uniform"),
    "glorot_normal": _glorot("truncated_normal"),
    "glorot_uniform": _glorot("uniform"),
    "xavier_normal": _glorot("truncated_normal"),
    "xavier_uniform": _glorot("uniform"),
    "he_normal": _he("truncated_normal"),
    "he_uniform": _he("uniform"),
    "kaiming_normal": _he("truncated_normal"),
    "kaiming_uniform": _he("uniform"),
}


def _orthogonal(key: jax.Array, shape: Sequence[int], dtype: Any, gain: float) -> jax.Array:
    return initializers.orthogonal(gain)(key, shape, dtype)


def _delta_orthogonal(key: jax.Array, shape: Sequence[int], dtype: Any, gain: float) -> jax.Array:
    return _centred(shape, initializers.orthogonal(gain)(key, shape[-2:], dtype))


def _identity(key: jax.Array, shape: Sequence[int], dtype: Any, gain: float) -> jax.Array:
    return _centred(shape, gain * jnp.eye(shape[-2], shape[-1], dtype=dtype))


def _centred(shape: Sequence[int], matrix: jax.Array) -> jax.Array:
    """Zeros with a matrix of the last two axes at the centre of the others, the lower one where there are two."""
    centre = tuple((size - 1) // 2 for size in shape[:-2])
    return jnp.zeros(shape, matrix.dtype).at[centre].set(matrix)


def _sparse(key: jax.Array, shape: Sequence[int], dtype: Any, sparsity: float, stddev: float) -> jax.Array:
    """As many zeros in each column, at places of their own."""
    rows = math.prod(shape[:-1])
    values = stddev * jax.random.normal(jax.random.fold_in(key, 0), (rows, shape[-1]), dtype)
    ranks = jax.random.uniform(jax.random.fold_in(key, 1), (rows, shape[-1])).argsort(axis=0).argsort(axis=0)
    return jnp.where(ranks < math.ceil(sparsity * rows), 0, values).reshape(shape)


_MATRICES: dict[str, Any] = {
    "orthogonal": _orthogonal,
    "delta_orthogonal": _delta_orthogonal,
    "identity": _identity,
    "dirac": _identity,
    "sparse": _sparse,
}
