"""What losses and metrics ask of the arrays they are given, told in one sentence where it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp


def wide(name: str, array: jax.Array) -> jax.Array:
    """A real array as float32, or as float64 where it is one; integers and booleans become float32.

    Raises:
      ValueError: the array holds complex numbers, keys or the like.
    """
    array = jnp.asarray(array)
    if not (jnp.issubdtype(array.dtype, jnp.floating) or is_integer(array)):
        raise ValueError(f"{name} must hold real numbers, not {array.dtype}")
    return array.astype(jnp.promote_types(array.dtype, jnp.float32) if is_float(array) else jnp.float32)


def single(arrays: Any) -> Any:
    """The arrays of a tree with those of half precision as float32, for formulas that are written without a thought of
    it; all others as they are."""
    return jax.tree.map(
        lambda array: array.astype(jnp.promote_types(array.dtype, jnp.float32)) if is_float(array) else array, arrays
    )


def is_float(array: jax.Array) -> bool:
    """Whether the array holds floating-point numbers."""
    return jnp.issubdtype(array.dtype, jnp.floating)


def is_integer(array: jax.Array) -> bool:
    """Whether the array holds integers or booleans."""
    return jnp.issubdtype(array.dtype, jnp.integer) or array.dtype == jnp.bool_


def paired(one: str, first: jax.Array, other: str, second: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Two arrays of one shape with a leading batch axis; a last axis of length one that only one has is dropped.

    Raises:
      ValueError: the shapes differ otherwise. They are never broadcast: [8, 1] against [8] would become [8, 8].
    """
    first, second = jnp.asarray(first), jnp.asarray(second)
    if first.shape == (*second.shape, 1):
        first = first[..., 0]
    elif second.shape == (*first.shape, 1):
        second = second[..., 0]
    if first.shape != second.shape:
        raise ValueError(f"{one} and {other} must have one shape, but are {list(first.shape)} and {list(second.shape)}")
    if first.ndim == 0:
        raise ValueError(f"{one} and {other} need a leading batch axis, but are scalars")
    return first, second


def per_example(values: jax.Array) -> jax.Array:
    """[batch, ...] -> [batch]: the mean over all axes but the first."""
    return values.mean(axis=tuple(range(1, values.ndim)))


def for_each_example(values: jax.Array, inputs: Mapping[str, jax.Array]) -> jax.Array:
    """The values as float32, after a look at whether their first axis is that of the inputs.

    Raises:
      ValueError: it is not.
    """
    batch = {array.shape[:1] for array in inputs.values()}
    if values.shape[:1] not in batch or values.ndim == 0:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in inputs.items())
        raise ValueError(
            f"the expression must have a value for each example, but has shape {list(values.shape)} of {shapes}"
        )
    return wide("the expression", values)


def class_labels(logits: jax.Array, labels: jax.Array, classes: int | None = None) -> int:
    """Check integer labels against logits with one more axis, and give the number of classes.

    Args:
      classes: how many there must be; None: any number.

    Raises:
      ValueError: the labels are not integers, the shapes do not fit, or there are more or fewer classes.
    """
    if logits.ndim < 2:
        raise ValueError(f"logits must be [batch, ..., classes], but are {list(logits.shape)}")
    if logits.ndim != labels.ndim + 1:
        raise ValueError(
            f"logits must have one axis more than labels, the classes, but have {logits.ndim} axes "
            f"{list(logits.shape)} against {labels.ndim} {list(labels.shape)}"
        )
    if logits.shape[:-1] != labels.shape:
        raise ValueError(
            f"logits must be the labels' shape and the classes, but are {list(logits.shape)} against "
            f"{list(labels.shape)}"
        )
    if not is_integer(labels) or labels.dtype == jnp.bool_:
        raise ValueError(f"labels must be integers, the numbers of the classes, but are {labels.dtype}")
    if classes is not None and logits.shape[-1] != classes:
        raise ValueError(f"logits must have {classes} classes on their last axis, but have {logits.shape[-1]}")
    return logits.shape[-1]
