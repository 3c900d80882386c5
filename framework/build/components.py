"""From a bound loss or metric to the function that its type names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial, wraps
from typing import Any

import jax

from framework.build.own import own_metric, own_values
from framework.build.wiring import Bound, Hyper
from framework.network.expression import evaluate
from framework.objectives import losses, metrics
from framework.objectives.metrics import Metric
from framework.objectives.shapes import single


def loss_values(bound: Bound, arrays: Mapping[str, Any], hyper: Hyper) -> jax.Array:
    """The loss of each example, [batch] or [batch, ...], from its wired arrays."""
    if bound.target is not None:
        return own_values(bound, single(arrays))
    arguments = bound.arguments(hyper)
    if bound.type == "expr":
        return losses.expr(single(arrays), expression=partial(evaluate, arguments["expression"]))
    return getattr(losses, bound.type)(**arrays, **arguments)


def make_metric(bound: Bound) -> Metric:
    """The metric with its fixed arguments."""
    if bound.target is not None:
        return _of_single(own_metric(bound))
    arguments = dict(bound.plain)
    if bound.type == "expr":
        arguments["expression"] = partial(evaluate, arguments["expression"])
    made = getattr(metrics, bound.type)(**arguments)
    return _of_single(made) if bound.type == "expr" else made


def _of_single(metric: Metric) -> Metric:
    """The metric, given half precision as float32: those of the package see to it themselves."""

    @wraps(metric.measure)
    def measure(mask: jax.Array | None, **wired: Any) -> Any:
        return metric.measure(mask, **single(wired))

    return replace(metric, measure=measure)
