"""Each metric against its closed forms and scikit-learn; what it says of arrays that do not fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as reference

from framework.objectives import metrics
from framework.objectives.metrics import Metric

RANDOM = np.random.default_rng(1)
CLASSES = 4
LOGITS = RANDOM.normal(size=(60, CLASSES)).astype(np.float32)
LABELS = RANDOM.integers(0, CLASSES, size=60)
PREDICTED = LOGITS.argmax(axis=-1)
MARGINS = RANDOM.normal(size=60).astype(np.float32)
ANSWERS = (MARGINS + RANDOM.normal(size=60) > 0).astype(np.int32)
PREDICTIONS = RANDOM.normal(size=(60, 3)).astype(np.float32) * 5
TARGETS = (PREDICTIONS + RANDOM.normal(size=(60, 3))).astype(np.float32)


def value(metric: Metric, first: Any, second: Any, mask: Any = None) -> jax.Array:
    """The metric of one batch."""
    return measured(metric, first, second, mask)[1]


def measured(metric: Metric, first: Any, second: Any, mask: Any = None) -> tuple[Any, jax.Array]:
    """The state of one batch and the value, compiled together: quicker than compiling each operation."""

    @jax.jit
    def run(mask: Any, *arrays: jax.Array) -> tuple[Any, jax.Array]:
        state = metric.update(metric.init(), mask, **dict(zip(metric.wires, arrays, strict=True)))
        return state, metric.compute(state)

    return run(mask, np.asarray(first), np.asarray(second))


# Accuracy


def test_right_answers_give_one_and_wrong_ones_zero() -> None:
    logits = jnp.eye(3)
    assert value(metrics.accuracy(), logits, [0, 1, 2]) == 1.0
    assert value(metrics.accuracy(), logits, [1, 2, 0]) == 0.0


def test_accuracy_agrees_with_scikit_learn() -> None:
    np.testing.assert_allclose(value(metrics.accuracy(), LOGITS, LABELS), np.mean(PREDICTED == LABELS), rtol=1e-6)


def test_one_logit_is_a_yes_above_the_threshold() -> None:
    logits = jnp.asarray([-1.0, 0.5, 2.0])
    assert value(metrics.accuracy(), logits, [0, 1, 1]) == 1.0
    assert value(metrics.accuracy(), logits[:, None], [0, 1, 1]) == 1.0
    # sigmoid(0.5) = 0.62 and sigmoid(2) = 0.88
    assert value(metrics.accuracy(threshold=0.8), logits, [0, 0, 1]) == 1.0


def test_each_position_counts_alike() -> None:
    logits = jnp.asarray(LOGITS).reshape(6, 10, CLASSES)
    mask = jnp.ones((6, 10)).at[0, 3:].set(0)
    expected = (PREDICTED == LABELS)[mask.ravel() == 1].mean()
    np.testing.assert_allclose(value(metrics.accuracy(), logits, LABELS.reshape(6, 10), mask), expected, rtol=1e-6)


def test_labels_outside_the_classes_are_wrong() -> None:
    assert value(metrics.accuracy(), jnp.eye(3), [0, -1, 7]) == pytest.approx(1 / 3)
    assert value(metrics.top_k(k=3), jnp.eye(3), [0, -1, 7]) == pytest.approx(1 / 3)


# Top-k accuracy


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_agrees_with_scikit_learn(k: int) -> None:
    expected = reference.top_k_accuracy_score(LABELS, LOGITS, k=k, labels=range(CLASSES))
    np.testing.assert_allclose(value(metrics.top_k(k=k), LOGITS, LABELS), expected, rtol=1e-6)


def test_all_classes_always_hold_the_label() -> None:
    assert value(metrics.top_k(k=CLASSES), LOGITS, LABELS) == 1.0


def test_equal_logits_do_not_all_count_as_found() -> None:
    assert value(metrics.top_k(k=1), jnp.zeros((4, 4)), [0, 1, 2, 3]) == 0.25
    assert value(metrics.top_k(k=2), jnp.zeros((4, 4)), [0, 1, 2, 3]) == 0.5


# Precision, recall and F1


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_rates_of_classes_agree_with_scikit_learn(name: str, average: Any) -> None:
    score = getattr(reference, f"{name}_score")
    metric = getattr(metrics, name)(classes=CLASSES, average=average)
    expected = score(LABELS, PREDICTED, average=average, zero_division=0)
    np.testing.assert_allclose(value(metric, LOGITS, LABELS), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_rates_of_yes_agree_with_scikit_learn_at_any_threshold(name: str) -> None:
    for threshold in (0.2, 0.5, 0.9):
        metric = getattr(metrics, name)(classes=2, average="binary", threshold=threshold)
        yes = 1 / (1 + np.exp(-MARGINS.astype(np.float64))) > threshold
        expected = getattr(reference, f"{name}_score")(ANSWERS, yes, zero_division=0)
        np.testing.assert_allclose(value(metric, MARGINS, ANSWERS), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_classes_that_never_occur_are_left_out_as_by_scikit_learn(name: str, average: Any) -> None:
    labels, predicted = np.asarray([0, 0, 1, 1]), np.asarray([0, 1, 1, 3])
    metric = getattr(metrics, name)(classes=5, average=average)
    expected = getattr(reference, f"{name}_score")(labels, predicted, average=average, zero_division=0)
    np.testing.assert_allclose(value(metric, np.eye(5)[predicted], labels), expected, rtol=1e-6)


def test_f1_of_micro_counts_is_accuracy() -> None:
    f1 = value(metrics.f1(classes=CLASSES, average="micro"), LOGITS, LABELS)
    np.testing.assert_allclose(f1, value(metrics.accuracy(), LOGITS, LABELS), rtol=1e-6)


def test_nothing_found_is_zero_not_nan() -> None:
    assert value(metrics.f1(classes=2, average="binary"), -jnp.ones(3), [1, 1, 1]) == 0.0


# The area under the ROC curve


def test_a_perfect_ranking_has_area_one_and_a_reversed_one_zero() -> None:
    margins, labels = jnp.asarray([-2.0, -1.0, 1.0, 2.0]), [0, 0, 1, 1]
    assert value(metrics.auroc(classes=2), margins, labels) == 1.0
    assert value(metrics.auroc(classes=2), -margins, labels) == 0.0


def test_ties_count_half() -> None:
    assert value(metrics.auroc(classes=2), jnp.zeros(6), [0, 1, 0, 1, 1, 1]) == 0.5


def test_auroc_of_one_logit_agrees_with_scikit_learn() -> None:
    expected = reference.roc_auc_score(ANSWERS, MARGINS)
    np.testing.assert_allclose(value(metrics.auroc(classes=2), MARGINS, ANSWERS), expected, atol=1e-6)


def test_auroc_of_two_logits_is_that_of_their_difference() -> None:
    two = jnp.stack([jnp.zeros(60), jnp.asarray(MARGINS)], axis=-1)
    expected = value(metrics.auroc(classes=2), MARGINS, ANSWERS)
    assert value(metrics.auroc(classes=2), two, ANSWERS) == expected


def test_auroc_of_classes_agrees_with_scikit_learn() -> None:
    probabilities = np.asarray(jax.nn.softmax(LOGITS.astype(np.float64)), np.float64)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    expected = reference.roc_auc_score(LABELS, probabilities, multi_class="ovr", average="macro")
    metric = metrics.auroc(classes=CLASSES)
    state, area = measured(metric, LOGITS, LABELS)
    assert abs(area - expected) <= shared(state)
    assert shared(state) < 2e-3


def test_probabilities_that_round_to_one_are_still_ranked() -> None:
    logits = jnp.zeros((4, 3)).at[:, 1].set(jnp.asarray([60.0, 70.0, 80.0, 90.0]))
    # Class 1 is certain in float32 everywhere, and its two examples have the highest odds.
    assert value(metrics.auroc(classes=3), logits, [0, 2, 1, 1]) == pytest.approx((1 + 1 + 2 / 3) / 3)


def shared(state: jax.Array) -> float:
    """Half the share of (positive, negative) pairs that fall into one bin, the mean over classes, plus rounding."""
    negatives, positives = np.moveaxis(np.asarray(state, np.float64), 1, 0)
    pairs = negatives.sum(-1) * positives.sum(-1)
    return float(((negatives * positives).sum(-1) / (2 * pairs)).mean()) + 1e-6


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("bins", [16, 512, 8192])
def test_the_error_is_within_half_the_pairs_that_share_a_bin(scale: float, bins: int) -> None:
    labels = RANDOM.integers(0, 2, size=2000)
    scores = (scale * (RANDOM.normal(size=2000) + labels)).astype(np.float32)
    metric = metrics.auroc(classes=2, bins=bins)
    state, area = measured(metric, scores, labels)
    error = abs(area - reference.roc_auc_score(labels, scores))
    assert error <= shared(state)
    if bins == 8192 and scale >= 1:
        assert shared(state) < 2e-3
        assert error < 2e-5


def test_infinite_scores_rank_outermost_and_nan_lowest() -> None:
    scores = jnp.asarray([-jnp.inf, jnp.nan, 0.0, 1.0, jnp.inf])
    assert value(metrics.auroc(classes=2), scores, [0, 0, 0, 1, 1]) == 1.0


def test_classes_without_positives_are_left_out_of_the_mean() -> None:
    logits = jnp.asarray([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    assert value(metrics.auroc(classes=3), logits, [0, 1]) == 1.0


def test_the_area_of_a_single_class_is_not_defined() -> None:
    assert np.isnan(value(metrics.auroc(classes=2), jnp.arange(3.0), [1, 1, 1]))


# Confusion matrix


def test_confusion_agrees_with_scikit_learn() -> None:
    matrix = value(metrics.confusion(classes=CLASSES), LOGITS, LABELS)
    np.testing.assert_array_equal(matrix, reference.confusion_matrix(LABELS, PREDICTED, labels=range(CLASSES)))
    assert metrics.confusion(classes=CLASSES).kind == "matrix"


def test_confusion_of_yes_and_no_agrees_with_scikit_learn() -> None:
    matrix = value(metrics.confusion(classes=2), MARGINS, ANSWERS)
    np.testing.assert_array_equal(matrix, reference.confusion_matrix(ANSWERS, MARGINS > 0))


def test_labels_outside_the_matrix_are_in_no_cell() -> None:
    matrix = value(metrics.confusion(classes=2), jnp.asarray([[0.0, 1.0]] * 3), [1, -1, 2])
    np.testing.assert_array_equal(matrix, [[0, 0], [0, 1]])


# Perplexity


def test_a_uniform_guess_has_the_perplexity_of_its_classes() -> None:
    np.testing.assert_allclose(value(metrics.perplexity(), jnp.zeros((5, 7)), jnp.arange(5)), 7.0, rtol=1e-6)


def test_perplexity_is_the_exponential_of_the_mean_log_loss() -> None:
    probabilities = np.exp(LOGITS.astype(np.float64))
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    expected = math.exp(reference.log_loss(LABELS, probabilities, labels=range(CLASSES)))
    np.testing.assert_allclose(value(metrics.perplexity(), LOGITS, LABELS), expected, rtol=1e-5)


# Regression


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("mse", reference.mean_squared_error),
        ("rmse", lambda t, p: math.sqrt(reference.mean_squared_error(t, p))),
        ("mae", reference.mean_absolute_error),
    ],
)
def test_errors_agree_with_scikit_learn(name: str, score: Callable[..., float]) -> None:
    np.testing.assert_allclose(
        value(getattr(metrics, name)(), PREDICTIONS, TARGETS), score(TARGETS, PREDICTIONS), rtol=1e-5
    )


def test_r2_agrees_with_scikit_learn_for_one_output_and_several() -> None:
    np.testing.assert_allclose(
        value(metrics.r2(outputs=3), PREDICTIONS, TARGETS), reference.r2_score(TARGETS, PREDICTIONS), rtol=1e-5
    )
    for predictions, targets in ((PREDICTIONS[:, 0], TARGETS[:, 0]), (PREDICTIONS[:, :1], TARGETS[:, 0])):
        expected = reference.r2_score(TARGETS[:, 0], PREDICTIONS[:, 0])
        np.testing.assert_allclose(value(metrics.r2(), predictions, targets), expected, rtol=1e-5)


def test_the_mean_as_prediction_explains_nothing_and_the_truth_everything() -> None:
    targets = jnp.asarray([1.0, 2.0, 6.0])
    assert value(metrics.r2(), jnp.full(3, 3.0), targets) == 0.0
    assert value(metrics.r2(), targets, targets) == 1.0


def test_r2_keeps_its_digits_for_targets_far_from_zero() -> None:
    metric = metrics.r2()
    targets = (10_000 + RANDOM.normal(size=640)).astype(np.float32)
    predictions = (targets + RANDOM.normal(size=640) / 2).astype(np.float32)
    state, update = metric.init(), jax.jit(metric.update)
    for rows in np.split(np.arange(640), 20):
        state = update(state, None, predictions=jnp.asarray(predictions[rows]), targets=jnp.asarray(targets[rows]))
    expected = reference.r2_score(targets.astype(np.float64), predictions.astype(np.float64))
    np.testing.assert_allclose(metric.compute(state), expected, atol=1e-5)


def test_r2_of_equal_targets_is_not_defined() -> None:
    assert np.isnan(value(metrics.r2(), jnp.arange(3.0), jnp.ones(3)))


# Types of labels


@pytest.mark.parametrize("name", ["accuracy", "top_k", "f1", "confusion", "auroc", "perplexity"])
def test_labels_of_any_integer_type_are_taken_also_one_too_small_for_the_classes(name: str) -> None:
    arguments = {"classes": 300} if name in ("f1", "confusion", "auroc") else {}
    arguments |= {"bins": 16} if name == "auroc" else {}
    metric = getattr(metrics, name)(**arguments)
    logits, labels = RANDOM.normal(size=(4, 300)).astype(np.float32), np.asarray([3, 9, 0, 100])
    small, usual = value(metric, logits, labels.astype(np.uint8)), value(metric, logits, labels.astype(np.int32))
    np.testing.assert_array_equal(small, usual)


# What does not fit


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: value(metrics.accuracy(), LOGITS, LABELS * 1.0), "labels must be integers.*but are float32"),
        (lambda: value(metrics.accuracy(), MARGINS, ANSWERS * 1.0), "labels must be integers, 0 or 1, but are float32"),
        (lambda: value(metrics.accuracy(), LOGITS, LABELS[:9]), r"but are \[60, 4\] against \[9\]"),
        (lambda: value(metrics.accuracy(), LOGITS, LABELS, np.ones(9)), r"the mask has shape \[9\]"),
        (lambda: value(metrics.top_k(k=9), LOGITS, LABELS), "k must be at most the number of classes, 4, but is 9"),
        (lambda: metrics.f1(classes=3, average="binary"), "average=binary needs 2 classes, but there are 3"),
        (lambda: metrics.f1(classes=3, average="samples"), "average must be macro, .*but is 'samples'"),  # pyright: ignore
        (lambda: value(metrics.auroc(classes=3), LOGITS, LABELS), "logits must have 3 classes .*but have 4"),
        (lambda: value(metrics.f1(classes=3), LOGITS, LABELS), "logits must have 3 classes .*but have 4"),
        (lambda: value(metrics.confusion(classes=9), LOGITS, LABELS), "logits must have 9 classes .*but have 4"),
        (
            lambda: value(metrics.confusion(classes=3), MARGINS, ANSWERS),
            r"logits must be \[batch, ..., classes\], but are \[60\]",
        ),
        (
            lambda: value(metrics.auroc(classes=3), MARGINS, ANSWERS),
            r"logits must be \[batch, ..., classes\], but are \[60\]",
        ),
        (
            lambda: value(metrics.r2(outputs=2), PREDICTIONS, TARGETS),
            r"targets must have 2 outputs .*but are \[60, 3\]",
        ),
        (
            lambda: value(metrics.mse(), PREDICTIONS, TARGETS[:, 0]),
            r"must have one shape, but are \[60, 3\] and \[60\]",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
