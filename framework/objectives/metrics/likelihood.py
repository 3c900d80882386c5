"""Perplexity: how many equally likely choices would cost as much as the labels did."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from framework.objectives.losses.classification import cross_entropy
from framework.objectives.masks import spread
from framework.objectives.metrics.base import Metric
from framework.objectives.metrics.means import Mean, averaged, empty_mean, mean_of, merged


def perplexity() -> Metric:
    """`exp(mean cross-entropy)`: from 1 for certainty, through the number of classes for a uniform guess, upwards.

    The mean is over all positions that count, not over examples. A label outside the classes makes it NaN.

    Wired: `logits` [batch, ..., classes] and `labels` [batch, ...] integers or probabilities, as for the loss
    `cross_entropy`.
    """

    def measure(mask: jax.Array | None, logits: jax.Array, labels: jax.Array) -> Mean:
        costs = cross_entropy(logits, labels)
        return mean_of(costs, spread(mask, costs.shape) > 0)

    return Metric(empty_mean, measure, merged, lambda state: jnp.exp(averaged(state)), higher_is_better=False)
