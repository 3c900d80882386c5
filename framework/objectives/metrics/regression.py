"""Metrics of real-valued targets.

All are wired to `predictions` and `targets` of one shape, [batch, ...]; a last axis of length one may be missing from
either. Each number counts alike, whichever example it belongs to.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from framework.objectives.masks import spread
from framework.objectives.metrics.base import Metric
from framework.objectives.metrics.means import Mean, averaged, empty_mean, mean_of, merged
from framework.objectives.metrics.sums import Sum, as_sum, empty_sum, plus
from framework.objectives.shapes import paired, wide


def mse() -> Metric:
    """The mean of `(p - t)^2`, in squared units of the target."""
    return Metric(empty_mean, _squared_errors, merged, averaged, higher_is_better=False)


def rmse() -> Metric:
    """The square root of the mean of `(p - t)^2`, in units of the target."""
    return Metric(empty_mean, _squared_errors, merged, lambda s: jnp.sqrt(averaged(s)), higher_is_better=False)


def mae() -> Metric:
    """The mean of `|p - t|`, in units of the target."""

    def measure(mask: jax.Array | None, predictions: jax.Array, targets: jax.Array) -> Mean:
        predictions, targets = _pair(predictions, targets)
        return mean_of(jnp.abs(predictions - targets), spread(mask, targets.shape) > 0)

    return Metric(empty_mean, measure, merged, averaged, higher_is_better=False)


class Variation(NamedTuple):
    """Of the targets and errors of some rows: what `r2` needs.

    Attributes:
      rows: int32 scalar, how many.
      mean: float32 [outputs], of the targets.
      scatter: [outputs], the sum of squared distances of the targets from `mean`.
      residual: [outputs], the sum of squared errors.
    """

    rows: jax.Array
    mean: jax.Array
    scatter: Sum
    residual: Sum


def r2(*, outputs: int = 1) -> Metric:
    """`1 - sum (p - t)^2 / sum (t - mean t)^2`, the mean over outputs: 1 is perfect, 0 is as good as the constant mean.

    The squares are taken about each batch's own mean and merged by the shift between the means: the difference of two
    large sums of squares, which would lose all digits for targets far from zero, does not occur.

    Args:
      outputs: numbers per row, the last axis of predictions and targets; with 1, all numbers are of one output.

    Computed: NaN where the targets are all equal, or are none.

    Source: Chan, Golub and LeVeque, The American Statistician 37, 1983, equation 2.1, for the merge.
    """

    def init() -> Variation:
        zero = empty_sum((outputs,))
        return Variation(jnp.zeros((), jnp.int32), jnp.zeros((outputs,), jnp.float32), zero, zero)

    def measure(mask: jax.Array | None, predictions: jax.Array, targets: jax.Array) -> Variation:
        predictions, targets = _pair(predictions, targets)
        if outputs > 1 and (targets.ndim < 2 or targets.shape[-1] != outputs):
            raise ValueError(f"targets must have {outputs} outputs on their last axis, but are {list(targets.shape)}")
        rows = targets.shape[:-1] if outputs > 1 else targets.shape
        counts = (spread(mask, rows) > 0).reshape(-1, 1)
        truth = jnp.where(counts, targets.reshape(-1, outputs), 0)
        errors = jnp.where(counts, (predictions - targets).reshape(-1, outputs), 0)
        count = jnp.sum(counts, dtype=jnp.int32)
        mean = truth.sum(axis=0) / jnp.maximum(count, 1)
        scatter = jnp.sum(jnp.where(counts, jnp.square(truth - mean), 0), axis=0)
        return Variation(count, mean.astype(jnp.float32), as_sum(scatter), as_sum(jnp.square(errors).sum(axis=0)))

    def merge(one: Variation, other: Variation) -> Variation:
        count = one.rows + other.rows
        share = other.rows / jnp.maximum(count, 1)
        shift = other.mean - one.mean
        # While one side is empty its mean is a mere zero; `one.rows * share` is 0 then, and so is what the shift adds.
        between = as_sum(jnp.square(shift) * (one.rows * share))
        return Variation(
            count,
            (one.mean + shift * share).astype(jnp.float32),
            plus(plus(one.scatter, other.scatter), between),
            plus(one.residual, other.residual),
        )

    def compute(state: Variation) -> jax.Array:
        scatter = state.scatter.value
        unexplained = state.residual.value / jnp.where(scatter > 0, scatter, jnp.nan)
        return jnp.mean(1 - unexplained)

    return Metric(init, measure, merge, compute, higher_is_better=True)


def _squared_errors(mask: jax.Array | None, predictions: jax.Array, targets: jax.Array) -> Mean:
    predictions, targets = _pair(predictions, targets)
    return mean_of(jnp.square(predictions - targets), spread(mask, targets.shape) > 0)


def _pair(predictions: jax.Array, targets: jax.Array) -> tuple[jax.Array, jax.Array]:
    return paired("predictions", wide("predictions", predictions), "targets", wide("targets", targets))
