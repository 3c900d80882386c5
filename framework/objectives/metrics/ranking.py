"""The area under the ROC curve, from a histogram of scores instead of the scores themselves, so that states merge."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from framework.objectives.masks import spread
from framework.objectives.metrics.base import Metric, added
from framework.objectives.shapes import class_labels, is_integer, paired, wide

_FINEST = 2.0**-10
_LARGEST = 2.0**14


def auroc(*, classes: int, bins: int = 8192) -> Metric:
    """The chance that a random positive is scored above a random negative, ties counting half; in [0, 1].

    With two classes, the score is the log-odds of class 1. With more, each class is scored against the rest by the
    log-odds of its softmax probability, and the mean is taken over the classes that have both positives and negatives;
    NaN where none has.

    Scores are counted in bins that are even in `asinh(1024 score)`: with 8192 of them, a bin is about 0.4 % of the
    score wide, and 4e-6 near zero. Scores beyond +-16384 share the outermost bins. Pairs in one bin count as ties, so
    the result is off by at most half the share of (positive, negative) pairs that fall into one bin,
    `sum_b P_b N_b / (2 P N)`; in practice by far less, since the pairs of one bin go both ways.

    Wired: `logits` [batch, ...] or [batch, ..., 1] for two classes, or [batch, ..., classes]; `labels` [batch, ...]
    integers or booleans. Labels outside the classes are not counted; a NaN is scored lowest.

    State: int32 [rankings, 2, bins], the counts of negatives and of positives; one ranking for two classes, else one
    per class.
    """
    rankings = 1 if classes == 2 else classes

    def init() -> jax.Array:
        return jnp.zeros((rankings, 2, bins), jnp.int32)

    def measure(mask: jax.Array | None, logits: jax.Array, labels: jax.Array) -> jax.Array:
        logits, labels = wide("logits", logits), jnp.asarray(labels)
        scores, positive = _scored(logits, labels, classes)
        labels = labels.astype(jnp.int32)
        counts = (spread(mask, labels.shape) > 0) & (labels >= 0) & (labels < classes)
        row = 2 * jnp.arange(rankings) + positive
        cell = jnp.where(counts[..., None], row * bins + _bin(scores, bins), 2 * rankings * bins)
        tally = jnp.bincount(cell.ravel(), length=2 * rankings * bins + 1)[:-1]
        return tally.reshape(rankings, 2, bins).astype(jnp.int32)

    return Metric(init, measure, added, _area, higher_is_better=True)


def _scored(logits: jax.Array, labels: jax.Array, classes: int) -> tuple[jax.Array, jax.Array]:
    """Scores and whether each is of a positive, both [batch, ..., rankings]."""
    if classes == 2 and (logits.ndim == labels.ndim or logits.shape == (*labels.shape, 1)):
        if not is_integer(labels):
            raise ValueError(f"labels must be integers, 0 or 1, but are {labels.dtype}")
        logits, labels = paired("logits", logits, "labels", labels)
        return logits[..., None], (labels == 1)[..., None]
    class_labels(logits, labels, classes)
    if classes == 2:
        return logits[..., 1:] - logits[..., :1], (labels == 1)[..., None]
    return _log_odds(logits), labels[..., None].astype(jnp.int32) == jnp.arange(classes)


def _log_odds(logits: jax.Array) -> jax.Array:
    """`log p - log(1 - p)` of each softmax probability p, also where p rounds to one."""
    log_p = jax.nn.log_softmax(logits, axis=-1)
    top = jnp.arange(logits.shape[-1]) == jnp.argmax(logits, axis=-1, keepdims=True)
    # Only the largest probability can exceed a half; the rest beside it is summed up directly, without 1 - p.
    rest = jax.nn.logsumexp(jnp.where(top, -jnp.inf, logits), axis=-1, keepdims=True)
    others = log_p - jnp.log1p(-jnp.exp(jnp.minimum(log_p, math.log(0.5))))
    return jnp.where(top, logits - rest, others)


def _bin(scores: jax.Array, bins: int) -> jax.Array:
    position = jnp.arcsinh(scores / _FINEST) / math.asinh(_LARGEST / _FINEST)
    index = jnp.clip(jnp.floor((position + 1) / 2 * bins), 0, bins - 1)
    return jnp.where(jnp.isnan(scores), 0, index).astype(jnp.int32)


def _area(state: jax.Array) -> jax.Array:
    negatives, positives = state[:, 0], state[:, 1]
    below = jnp.cumsum(negatives, axis=-1) - negatives
    every_negative, every_positive = negatives.sum(-1), positives.sum(-1)
    defined = (every_negative > 0) & (every_positive > 0)
    share_below = (below + negatives / 2) / jnp.maximum(every_negative, 1)[:, None]
    area = jnp.sum(positives / jnp.maximum(every_positive, 1)[:, None] * share_below, axis=-1)
    count = jnp.sum(defined)
    return jnp.where(count > 0, jnp.sum(jnp.where(defined, area, 0)) / jnp.maximum(count, 1), jnp.nan)
