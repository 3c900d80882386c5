"""A metric that a recipe writes out as a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax

from framework.objectives.masks import spread
from framework.objectives.metrics.base import Metric
from framework.objectives.metrics.means import Mean, averaged, empty_mean, mean_of, merged
from framework.objectives.shapes import for_each_example


def expr(*, expression: Callable[[Mapping[str, jax.Array]], jax.Array], higher_is_better: bool = False) -> Metric:
    """The mean over examples of an array expression.

    Args:
      expression: computes [batch, ...] from the wired arrays by name; whoever wires the metric has vetted its text.
      higher_is_better: which way a model improves.
    """

    def measure(mask: jax.Array | None, **wired: jax.Array) -> Mean:
        values = for_each_example(expression(wired), wired)
        return mean_of(values, spread(mask, values.shape) > 0)

    return Metric(empty_mean, measure, merged, averaged, higher_is_better=higher_is_better)
