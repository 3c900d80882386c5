"""Metrics that count right answers: accuracy, top-k accuracy and the confusion matrix."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from framework.objectives.masks import spread
from framework.objectives.metrics.answers import answers
from framework.objectives.metrics.base import Metric, added
from framework.objectives.shapes import class_labels, wide


class Hits(NamedTuple):
    """How many answers were right, and how many there were; int32 scalars."""

    right: jax.Array
    asked: jax.Array


def accuracy(*, threshold: float = 0.5) -> Metric:
    """The share of answers that equal the label, in [0, 1].

    Wired: `logits` and `labels`; see `answers` for their shapes. Each position and each yes-or-no answer counts alike.
    """

    def measure(mask: jax.Array | None, logits: jax.Array, labels: jax.Array) -> Hits:
        predicted, true, counts = answers(logits, labels, mask, threshold)
        return _hits(predicted == true, counts)

    return Metric(_no_hits, measure, added, _share, higher_is_better=True)


def top_k(*, k: int = 5) -> Metric:
    """The share of labels that are among the k highest logits, in [0, 1].

    Of equal logits, that of the lower class number ranks higher, so `top_k(k=1)` is `accuracy()` for classes.

    Wired: `logits` [batch, ..., classes] and `labels` [batch, ...] integers. A label outside the classes is not found.
    """

    def measure(mask: jax.Array | None, logits: jax.Array, labels: jax.Array) -> Hits:
        logits, labels = wide("logits", logits), jnp.asarray(labels)
        classes = class_labels(logits, labels)
        labels = labels.astype(jnp.int32)
        if k > classes:
            raise ValueError(f"k must be at most the number of classes, {classes}, but is {k}")
        inside = (labels >= 0) & (labels < classes)
        label = jnp.where(inside, labels, 0)[..., None]
        own = jnp.take_along_axis(logits, label, axis=-1)
        ahead = (logits > own) | ((logits == own) & (jnp.arange(classes) < label))
        found = inside & (jnp.sum(ahead, axis=-1) < k) & ~jnp.isnan(own[..., 0])
        return _hits(found, spread(mask, labels.shape) > 0)

    return Metric(_no_hits, measure, added, _share, higher_is_better=True)


def confusion(*, classes: int, threshold: float = 0.5) -> Metric:
    """How often each true class (row) was answered with each class (column): int32 [classes, classes].

    Wired: `logits` and `labels`; see `answers` for their shapes. Labels and answers outside the classes do not count.
    """

    def measure(mask: jax.Array | None, logits: jax.Array, labels: jax.Array) -> jax.Array:
        predicted, true, counts = answers(logits, labels, mask, threshold, classes)
        inside = (true >= 0) & (true < classes) & (predicted < classes)
        cell = jnp.where(inside & counts, true * classes + predicted, classes * classes)
        return jnp.bincount(cell.ravel(), length=classes * classes + 1)[:-1].reshape(classes, classes).astype(jnp.int32)

    def init() -> jax.Array:
        return jnp.zeros((classes, classes), jnp.int32)

    return Metric(init, measure, added, lambda state: state, higher_is_better=True, kind="matrix")


def _no_hits() -> Hits:
    return Hits(jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))


def _hits(right: jax.Array, counts: jax.Array) -> Hits:
    return Hits(jnp.sum(right & counts, dtype=jnp.int32), jnp.sum(counts, dtype=jnp.int32))


def _share(state: Hits) -> jax.Array:
    return state.right / state.asked
