"""Precision, recall and F1, each from the same three counts per class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp

from framework.objectives.metrics.answers import answers
from framework.objectives.metrics.base import Metric, added

Average = Literal["macro", "micro", "weighted", "binary"]


class Counts(NamedTuple):
    """Per class: how often it was answered rightly, how often answered, and how often true; int32 [classes]."""

    right: jax.Array
    answered: jax.Array
    true: jax.Array


def precision(*, classes: int, average: Average = "macro", threshold: float = 0.5) -> Metric:
    """Of the answers that name a class, the share that is right: `right / answered`. See `_metric` for the averages."""
    return _metric(classes, average, threshold, lambda c: _ratio(c.right, c.answered))


def recall(*, classes: int, average: Average = "macro", threshold: float = 0.5) -> Metric:
    """Of the examples of a class, the share that is found: `right / true`. See `_metric` for the averages."""
    return _metric(classes, average, threshold, lambda c: _ratio(c.right, c.true))


def f1(*, classes: int, average: Average = "macro", threshold: float = 0.5) -> Metric:
    """The harmonic mean of precision and recall: `2 right / (answered + true)`. See `_metric` for the averages."""
    # Added as floats: the sum of two counts could exceed an int32.
    return _metric(
        classes,
        average,
        threshold,
        lambda c: _ratio(2 * _float(c.right), _float(c.answered) + _float(c.true)),
    )


def _metric(classes: int, average: Average, threshold: float, rate: Callable[[Counts], jax.Array]) -> Metric:
    """A rate per class, averaged.

    - macro: the mean over the classes that occur, as a label or as an answer;
    - weighted: the mean over classes by how often each is true;
    - micro: the rate of the counts summed over classes;
    - binary: the rate of class 1 alone.

    A rate of nothing (a class that was never answered has no precision) is 0, and so is a metric of no rows. These are
    scikit-learn's conventions, with `zero_division=0`.
    """
    if average not in ("macro", "micro", "weighted", "binary"):
        raise ValueError(f"average must be macro, micro, weighted or binary, but is {average!r}")
    if average == "binary" and classes != 2:
        raise ValueError(f"average=binary needs 2 classes, but there are {classes}")

    def init() -> Counts:
        zeros = jnp.zeros((classes,), jnp.int32)
        return Counts(zeros, zeros, zeros)

    def measure(mask: jax.Array | None, logits: jax.Array, labels: jax.Array) -> Counts:
        predicted, true, counts = answers(logits, labels, mask, threshold, classes)
        return Counts(
            _tally(predicted, counts & (predicted == true), classes),
            _tally(predicted, counts, classes),
            _tally(true, counts, classes),
        )

    def compute(state: Counts) -> jax.Array:
        if average == "binary":
            return rate(state)[1]
        if average == "micro":
            return rate(jax.tree.map(lambda leaf: leaf.sum(keepdims=True), state))[0]
        if average == "weighted":
            share = _float(state.true)
        else:
            share = _float((state.true > 0) | (state.answered > 0))
        return _ratio(jnp.sum(rate(state) * share), jnp.sum(share))

    return Metric(init, measure, added, compute, higher_is_better=True)


def _tally(values: jax.Array, counts: jax.Array, classes: int) -> jax.Array:
    inside = counts & (values >= 0) & (values < classes)
    return jnp.bincount(jnp.where(inside, values, classes).ravel(), length=classes + 1)[:-1].astype(jnp.int32)


def _float(count: jax.Array) -> jax.Array:
    return count.astype(jnp.float32)


def _ratio(part: jax.Array, whole: jax.Array) -> jax.Array:
    return jnp.where(whole > 0, part / jnp.where(whole > 0, whole, 1), 0.0).astype(jnp.float32)
