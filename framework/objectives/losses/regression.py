"""Losses of real-valued targets. All take predictions and targets of one shape, [batch, ...], and give [batch].

A last axis of length one may be missing from either; otherwise the shapes must be equal, and nothing is broadcast.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from framework.objectives.shapes import paired, per_example, wide


def mse(predictions: jax.Array, targets: jax.Array) -> jax.Array:
    """Squared error `(p - t)^2`, averaged over one example's axes, in squared units of the target.

    Raises:
      ValueError: the shapes differ, or an array does not hold real numbers.
    """
    return per_example(jnp.square(_errors(predictions, targets)))


def mae(predictions: jax.Array, targets: jax.Array) -> jax.Array:
    """Absolute error `|p - t|`, averaged over one example's axes, in units of the target.

    Raises:
      ValueError: the shapes differ, or an array does not hold real numbers.
    """
    return per_example(jnp.abs(_errors(predictions, targets)))


def huber(predictions: jax.Array, targets: jax.Array, *, delta: ArrayLike = 1.0) -> jax.Array:
    """`e^2 / 2` where `e = |p - t|` is at most delta, `delta (e - delta / 2)` beyond, averaged over one example's axes.

    Args:
      delta: above 0, in units of the target; a traced scalar is not checked.

    Raises:
      ValueError: the shapes differ, an array does not hold real numbers, or delta is not above 0.
    Source: Huber, Annals of Mathematical Statistics 35, 1964.
    """
    if isinstance(delta, int | float) and not delta > 0:
        raise ValueError(f"delta must be above 0, but is {delta}")
    errors = jnp.abs(_errors(predictions, targets))
    # One product instead of a choice between two formulas: the square of a huge error would overflow in the branch that
    # is not taken, and its gradient would be NaN.
    near = jnp.minimum(errors, delta)
    return per_example(near * (errors - near / 2))


def _errors(predictions: jax.Array, targets: jax.Array) -> jax.Array:
    predictions, targets = paired("predictions", wide("predictions", predictions), "targets", wide("targets", targets))
    return predictions - targets
