"""Cross-entropies: of one class out of many, and of yes or no."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from framework.lowering.choice import takes
from framework.lowering.cross_entropy import label_cost
from framework.objectives.shapes import class_labels, is_float, paired, per_example, wide


def cross_entropy(
    logits: jax.Array,
    labels: jax.Array,
    *,
    smoothing: ArrayLike = 0.0,
    class_weights: Sequence[float] | None = None,
) -> jax.Array:
    """Cross-entropy, in nats, against labels mixed with the uniform law.

    `-sum_c w_c ((1 - s) y_c + s / C) log softmax(z)_c`, where z are the logits, y is the label as probabilities, C the
    number of classes, s the smoothing and w the class weights. The weights are taken as they are: nothing divides by
    the weights that a batch happens to hold.

    Args:
      logits: [batch, ..., classes].
      labels: [batch, ...] integers in [0, classes), or [batch, ..., classes] floating-point probabilities. Values
        cannot be checked under jit; an integer outside the classes costs NaN.
      smoothing: in [0, 1); a traced scalar is not checked.
      class_weights: one factor per class.

    Returns:
      [batch, ...].

    Raises:
      ValueError: a shape or type does not fit, there is not one weight per class, or smoothing is out of range.
    Source: Szegedy et al., arXiv:1512.00567, section 7, for the smoothing.
    """
    given, logits, labels = logits, wide("logits", logits), jnp.asarray(labels)
    as_probabilities = logits.ndim > 1 and labels.shape == logits.shape and is_float(labels)
    classes = logits.shape[-1] if as_probabilities else class_labels(logits, labels)
    weights = None if class_weights is None else _weights(class_weights, classes, logits.dtype)
    off = _is_off(smoothing)
    if weights is None and not as_probabilities and takes("cross_entropy", "fused"):
        given = given if is_float(given) else logits
        labels = labels.astype(jnp.promote_types(labels.dtype, jnp.int32))
        cost: jax.Array = label_cost(given, labels, None if off else jnp.asarray(smoothing, logits.dtype))
        return cost
    # Shifted by the largest logit, the difference below keeps its digits where logits are large and close together.
    shifted = logits - jax.lax.stop_gradient(logits.max(axis=-1, keepdims=True))
    log_total = jnp.log(jnp.exp(shifted).sum(axis=-1))
    if as_probabilities:
        shares = labels.astype(logits.dtype) * (1.0 if weights is None else weights)
        costs = log_total[..., None] - shifted
        cost = jnp.sum(jnp.where(shares == 0, 0, shares * costs), axis=-1)
    else:
        # The label's entry is selected by comparison and not gathered. XLA fuses this into the sums around it, so that
        # no one-hot array is stored and the gradient needs no scatter (on the CPU, 8 kernels instead of 14), and it can
        # be divided over devices along the classes.
        labels = labels.astype(jnp.promote_types(labels.dtype, jnp.int32))
        own = labels[..., None] == jnp.arange(classes)
        cost = log_total - jnp.sum(jnp.where(own, shifted, 0), axis=-1)
        if weights is not None:
            cost = cost * jnp.sum(jnp.where(own, weights, 0), axis=-1)
        cost = jnp.where((labels >= 0) & (labels < classes), cost, jnp.nan)
    if off:
        return cost
    if weights is None:
        uniform = log_total - shifted.mean(axis=-1)
    else:
        uniform = jnp.mean(weights * (log_total[..., None] - shifted), axis=-1)
    return jnp.asarray((1 - smoothing) * cost + smoothing * uniform)


def bce(
    logits: jax.Array, labels: jax.Array, *, smoothing: ArrayLike = 0.0, positive_weight: ArrayLike = 1.0
) -> jax.Array:
    """Binary cross-entropy, in nats: `-w t log sigmoid(z) - (1 - t) log sigmoid(-z)`, averaged over one example's axes.

    t is the label mixed with a coin: `(1 - smoothing) y + smoothing / 2`.

    Args:
      logits: [batch, ...], several yes-or-no answers per example where there are further axes.
      labels: of the logits' shape; 0 or 1, booleans, or probabilities. Values cannot be checked under jit; a label
        outside [0, 1] costs NaN. A last axis of length one may be missing from either.
      smoothing: in [0, 1); a traced scalar is not checked.
      positive_weight: w, above 1 where positive examples are rare.

    Returns:
      [batch].

    Raises:
      ValueError: a shape or type does not fit, or smoothing is out of range.
    """
    logits, labels = paired("logits", wide("logits", logits), "labels", wide("labels", labels))
    off = _is_off(smoothing)
    target = labels if off else (1 - smoothing) * labels + smoothing / 2
    cost = positive_weight * target * jax.nn.softplus(-logits) + (1 - target) * jax.nn.softplus(logits)
    return per_example(jnp.where((labels >= 0) & (labels <= 1), cost, jnp.nan))


def _is_off(smoothing: ArrayLike) -> bool:
    if not isinstance(smoothing, int | float):
        return False
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must lie in [0, 1), but is {smoothing}")
    return smoothing == 0


def _weights(weights: Sequence[float], classes: int, dtype: jnp.dtype) -> jax.Array:
    if len(weights) != classes:
        raise ValueError(f"class_weights must have one entry per class, {classes}, but has {len(weights)}")
    return jnp.asarray(weights, dtype)
