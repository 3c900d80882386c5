"""Each loss against its closed forms and an independent implementation; what it says of arrays that do not fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error

from framework.objectives import losses

# Compiled as a whole, which is quicker than compiling each operation; what is refused is refused while tracing.
cross_entropy = jax.jit(losses.cross_entropy, static_argnames=("smoothing", "class_weights"))
bce = jax.jit(losses.bce, static_argnames=("smoothing", "positive_weight"))
mse, mae, huber = jax.jit(losses.mse), jax.jit(losses.mae), jax.jit(losses.huber, static_argnames="delta")

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(12, 5)).astype(np.float32) * 3
LABELS = RANDOM.integers(0, 5, size=12)
WEIGHTS = (0.5, 1.0, 2.0, 0.0, 3.0)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    exact = logits.astype(np.float64)
    exact = exact - exact.max(axis=-1, keepdims=True)
    return exact - np.log(np.exp(exact).sum(axis=-1, keepdims=True))


# Cross-entropy


def test_uniform_logits_cost_log_classes() -> None:
    np.testing.assert_allclose(cross_entropy(jnp.zeros((3, 7)), jnp.asarray([0, 3, 6])), math.log(7), rtol=1e-6)


def test_uniform_logits_cost_log_classes_with_any_smoothing() -> None:
    cost = cross_entropy(jnp.full((1, 7), 4.0), jnp.asarray([2]), smoothing=0.3)
    np.testing.assert_allclose(cost, math.log(7), rtol=1e-6)


def test_a_certain_right_answer_costs_nothing_and_a_wrong_one_its_margin() -> None:
    logits = jnp.asarray([[1000.0, 0.0], [0.0, 1000.0]])
    np.testing.assert_array_equal(cross_entropy(logits, jnp.asarray([0, 0])), [0.0, 1000.0])


def test_a_shift_of_all_logits_changes_nothing() -> None:
    np.testing.assert_allclose(
        cross_entropy(jnp.asarray(LOGITS) + 512, jnp.asarray(LABELS)),
        cross_entropy(jnp.asarray(LOGITS), jnp.asarray(LABELS)),
        atol=2e-4,
    )


def test_cross_entropy_agrees_with_scikit_learn() -> None:
    probabilities = np.exp(log_softmax(LOGITS))
    expected = log_loss(LABELS, probabilities, labels=range(5))
    np.testing.assert_allclose(cross_entropy(jnp.asarray(LOGITS), jnp.asarray(LABELS)).mean(), expected, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_smoothing_and_weights_agree_with_the_written_out_sum(smoothing: float, weights: Any) -> None:
    target = (1 - smoothing) * np.eye(5)[LABELS] + smoothing / 5
    expected = -(np.asarray(weights or np.ones(5)) * target * log_softmax(LOGITS)).sum(axis=-1)
    one_hot = jnp.eye(5)[LABELS]
    for labels in (jnp.asarray(LABELS), one_hot):
        cost = cross_entropy(jnp.asarray(LOGITS), labels, smoothing=smoothing, class_weights=weights)
        np.testing.assert_allclose(cost, expected, rtol=2e-5)


def test_probabilities_cost_their_own_mixture() -> None:
    labels = RANDOM.dirichlet(np.ones(5), size=12).astype(np.float32)
    expected = -(labels * log_softmax(LOGITS)).sum(axis=-1)
    np.testing.assert_allclose(cross_entropy(jnp.asarray(LOGITS), jnp.asarray(labels)), expected, rtol=1e-5)


def test_the_gradient_is_softmax_minus_label() -> None:
    gradient = jax.grad(lambda z: cross_entropy(z, jnp.asarray(LABELS)).sum())(jnp.asarray(LOGITS))
    np.testing.assert_allclose(gradient, np.exp(log_softmax(LOGITS)) - np.eye(5)[LABELS], atol=1e-6)


def test_forbidden_classes_cost_infinity_and_do_not_disturb_the_others() -> None:
    logits = jnp.asarray([[0.0, 0.0, -jnp.inf]] * 2)
    cost = cross_entropy(logits, jnp.asarray([0, 2]))
    np.testing.assert_allclose(cost, [math.log(2), math.inf], rtol=1e-6)
    one_hot = cross_entropy(logits, jnp.eye(3)[jnp.asarray([0, 2])])
    np.testing.assert_allclose(one_hot, [math.log(2), math.inf], rtol=1e-6)


@pytest.mark.parametrize("label", [-1, 5, -100])
def test_an_integer_outside_the_classes_costs_nan(label: int) -> None:
    cost = cross_entropy(jnp.zeros((2, 5)), jnp.asarray([0, label]))
    assert np.isfinite(cost[0])
    assert np.isnan(cost[1])


def test_labels_of_any_integer_type_are_taken_also_one_too_small_for_the_classes() -> None:
    for dtype in (jnp.uint8, jnp.int8, jnp.uint32):
        cost = cross_entropy(jnp.zeros((1, 300)), jnp.asarray([7], dtype))
        np.testing.assert_allclose(cost, math.log(300), rtol=1e-6)


def test_positions_of_a_sequence_cost_what_they_would_cost_alone() -> None:
    together = cross_entropy(jnp.asarray(LOGITS).reshape(3, 4, 5), jnp.asarray(LABELS).reshape(3, 4), smoothing=0.1)
    alone = cross_entropy(jnp.asarray(LOGITS), jnp.asarray(LABELS), smoothing=0.1)
    assert together.shape == (3, 4)
    np.testing.assert_array_equal(together.ravel(), alone)


# Binary cross-entropy


def test_an_undecided_logit_costs_log_two() -> None:
    np.testing.assert_allclose(bce(jnp.zeros(2), jnp.asarray([0, 1])), math.log(2), rtol=1e-6)


def test_bce_is_the_cross_entropy_of_two_classes() -> None:
    margin, labels = jnp.asarray(LOGITS[:, 0]), jnp.asarray(LABELS > 2)
    two = jnp.stack([jnp.zeros_like(margin), margin], axis=-1)
    expected = cross_entropy(two, labels.astype(jnp.int32), smoothing=0.2)
    np.testing.assert_allclose(bce(margin, labels, smoothing=0.2), expected, rtol=1e-5)


def test_bce_agrees_with_scikit_learn() -> None:
    margin, labels = LOGITS[:, 0].astype(np.float64), LABELS > 2
    expected = log_loss(labels, 1 / (1 + np.exp(-margin)))
    np.testing.assert_allclose(bce(jnp.asarray(LOGITS[:, 0]), jnp.asarray(labels)).mean(), expected, rtol=1e-5)


def test_positive_weight_scales_the_cost_of_positives_alone() -> None:
    margin = jnp.asarray([0.3, 0.3])
    plain, weighted = bce(margin, jnp.asarray([0, 1])), bce(margin, jnp.asarray([0, 1]), positive_weight=3.0)
    np.testing.assert_allclose(weighted / plain, [1.0, 3.0], rtol=1e-6)


def test_several_answers_of_an_example_are_averaged() -> None:
    cost = bce(jnp.asarray([[0.0, 1000.0]]), jnp.asarray([[1, 1]]))
    np.testing.assert_allclose(cost, [math.log(2) / 2], rtol=1e-6)


@pytest.mark.parametrize("label", [2, -1])
def test_a_yes_or_no_label_outside_zero_and_one_costs_nan(label: int) -> None:
    assert np.isnan(bce(jnp.zeros(1), jnp.asarray([label]))[0])


# Regression


def test_squared_and_absolute_errors_of_known_numbers() -> None:
    predictions, targets = jnp.asarray([1.0, 2.0]), jnp.asarray([4.0, 2.0])
    np.testing.assert_array_equal(mse(predictions, targets), [9.0, 0.0])
    np.testing.assert_array_equal(mae(predictions, targets), [3.0, 0.0])


def test_regression_losses_agree_with_scikit_learn() -> None:
    targets = RANDOM.normal(size=LOGITS.shape).astype(np.float32)
    np.testing.assert_allclose(mse(LOGITS, targets).mean(), mean_squared_error(targets, LOGITS), rtol=1e-5)
    np.testing.assert_allclose(mae(LOGITS, targets).mean(), mean_absolute_error(targets, LOGITS), rtol=1e-5)


def test_huber_is_a_parabola_inside_delta_and_a_line_outside() -> None:
    errors = jnp.asarray([0.0, 1.0, -2.0, 3.0, -10.0])
    np.testing.assert_allclose(huber(errors, jnp.zeros(5), delta=2.0), [0.0, 0.5, 2.0, 4.0, 18.0])


def test_the_gradient_of_huber_is_the_error_cut_at_delta() -> None:
    errors = jnp.asarray([0.5, -1.0, 2.0, -7.0, 1e30])
    gradient = jax.grad(lambda p: huber(p, jnp.zeros(5), delta=2.0).sum())(errors)
    np.testing.assert_allclose(gradient, [0.5, -1.0, 2.0, -2.0, 2.0])


def test_a_last_axis_of_length_one_may_be_missing() -> None:
    for loss in (mse, mae, huber, bce):
        column, row = jnp.asarray([[0.2], [0.9]]), jnp.asarray([0.0, 1.0])
        np.testing.assert_array_equal(loss(column, row), loss(row_like(column), row))
        assert loss(row_like(column), row[:, None]).shape == (2,)


def row_like(column: jax.Array) -> jax.Array:
    return column[:, 0]


# What does not fit

floats = jnp.zeros


def integers(shape: int | tuple[int, ...]) -> jax.Array:
    return jnp.zeros(shape, jnp.int32)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: cross_entropy(floats((4, 3)), floats(4)),
            "labels must be integers, the numbers of the classes, but are float32",
        ),
        (lambda: cross_entropy(floats((4, 3)), jnp.zeros(4, bool)), "labels must be integers.*but are bool"),
        (
            lambda: cross_entropy(floats((4, 3)), integers((4, 1))),
            r"one axis more than labels, the classes, but have 2 axes \[4, 3\] against 2 \[4, 1\]",
        ),
        (lambda: cross_entropy(floats((4, 3)), integers((4, 3))), "logits must have one axis more than labels"),
        (
            lambda: cross_entropy(floats((4, 3)), integers(5)),
            r"the labels' shape and the classes, but are \[4, 3\] against \[5\]",
        ),
        (lambda: cross_entropy(floats(4), integers(4)), r"logits must be \[batch, ..., classes\], but are \[4\]"),
        (
            lambda: cross_entropy(floats((4, 3)), integers(4), class_weights=(1.0, 2.0)),
            "class_weights must have one entry per class, 3, but has 2",
        ),
        (
            lambda: cross_entropy(floats((4, 3)), integers(4), smoothing=1.0),
            r"smoothing must lie in \[0, 1\), but is 1.0",
        ),
        (lambda: cross_entropy(jnp.zeros((4, 3), complex), integers(4)), "logits must hold real numbers, not complex"),
        (
            lambda: bce(floats((4, 2)), integers(4)),
            r"must have one shape, but are \[4, 2\] and \[4\]",
        ),
        (lambda: bce(floats(4), floats(4), smoothing=-0.1), r"smoothing must lie in \[0, 1\), but is -0.1"),
        (lambda: mse(floats((4, 2)), floats((4, 3))), r"must have one shape, but are \[4, 2\] and \[4, 3\]"),
        (lambda: mae(floats((4, 1, 1)), floats(4)), r"must have one shape, but are \[4, 1, 1\] and \[4\]"),
        (lambda: huber(floats(()), floats(())), "need a leading batch axis, but are scalars"),
        (lambda: huber(floats(4), floats(4), delta=0.0), "delta must be above 0, but is 0.0"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
