"""From logits to answers: which class is predicted, where several metrics must agree on it."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from framework.objectives.masks import spread
from framework.objectives.shapes import class_labels, is_integer, paired, wide


def answers(
    logits: jax.Array, labels: jax.Array, mask: ArrayLike | None, threshold: float, classes: int | None = None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Predicted classes, true classes and which of them count, all of one shape.

    With one axis more than the labels (and more than one entry on it), logits are of classes and the first of the
    highest ones is predicted. With the shape of the labels, they are of yes or no, and class 1 is predicted where
    `sigmoid(logits) > threshold`.

    Args:
      logits: [batch, ..., classes], [batch, ..., 1] or [batch, ...].
      labels: [batch, ...] integers or booleans.
      mask: as for `spread`.
      classes: how many classes there must be; None: any number.

    Returns:
      int32, int32 and bool, each [batch, ...].

    Raises:
      ValueError: a shape or type does not fit.
    """
    logits, labels = wide("logits", logits), jnp.asarray(labels)
    if classes in (None, 2) and (logits.ndim == labels.ndim or logits.shape == (*labels.shape, 1)):
        if not is_integer(labels):
            raise ValueError(f"labels must be integers, 0 or 1, but are {labels.dtype}")
        logits, labels = paired("logits", logits, "labels", labels)
        predicted = logits > math.log(threshold / (1 - threshold))
    else:
        class_labels(logits, labels, classes)
        predicted = jnp.argmax(logits, axis=-1)
    return predicted.astype(jnp.int32), labels.astype(jnp.int32), spread(mask, labels.shape) > 0
