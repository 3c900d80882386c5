"""Shape operations, reductions, merges and activations without parameters agree with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from layer_cases import array, call, layer, refusal

X = np.asarray(array((2, 4, 6)))
Y = np.asarray(array((2, 4, 6), seed=1))


def of(op: str, *inputs: Any, **arguments: Any) -> Any:
    """A layer without parameters on arrays."""
    return call(layer(op, **arguments), {}, *inputs)


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "mean": np.mean,
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "std": np.std,
    "var": np.var,
    "logsumexp": lambda x, axes, keepdims: np.log(np.exp(x).sum(axes, keepdims=keepdims)),
    "norm": lambda x, axes, keepdims: np.sqrt((x**2).sum(axes, keepdims=keepdims)),
}


@pytest.mark.parametrize("how", REDUCTIONS)
def test_a_reduction_is_that_of_numpy(how: str) -> None:
    np.testing.assert_allclose(of("reduce", X, how=how), REDUCTIONS[how](X, (1, 2), keepdims=False), rtol=1e-5)
    kept = REDUCTIONS[how](X, (1,), keepdims=True)
    np.testing.assert_allclose(of("reduce", X, how=how, axes=[-2], keep_dims=True), kept, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("op", "arguments", "expected"),
    [
        ("slice", {"start": -3, "step": 2}, X[:, -3::2]),
        ("slice", {"axis": -1, "stop": 2}, X[..., :2]),
        ("select", {"index": -1, "axis": 2}, X[:, :, -1]),
        ("expand_dims", {"axis": 1}, X[:, None]),
        ("flip", {"axes": [2]}, X[:, :, ::-1]),
        ("roll", {"shifts": [1], "axes": [1]}, np.roll(X, 1, 1)),
        ("tile", {"counts": [2, 3]}, np.tile(X, (1, 2, 3))),
        ("channel_shuffle", {"groups": 3}, X[:, :, [0, 2, 4, 1, 3, 5]]),
        ("relu_squared", {}, np.maximum(X, 0) ** 2),
        ("thresholded_relu", {"threshold": 0.5}, np.where(X > 0.5, X, 0)),
        ("hard_shrink", {"threshold": 0.3}, np.where(abs(X) > 0.3, X, 0)),
        ("soft_shrink", {"threshold": 0.3}, np.sign(X) * np.maximum(abs(X) - 0.3, 0)),
        ("tanh_shrink", {}, X - np.tanh(X)),
        ("quick_gelu", {}, X / (1 + np.exp(-1.702 * X))),
        ("sine", {"frequency": 3.0}, np.sin(3 * X)),
        ("crelu", {}, np.concatenate([np.maximum(X, 0), np.maximum(-X, 0)], -1)),
        ("maxout", {"pieces": 3}, X.reshape(2, 4, 2, 3).max(-1)),
        ("softmax", {"temperature": 2.0}, np.exp(X / 2) / np.exp(X / 2).sum(-1, keepdims=True)),
        ("normalize", {"axis": 1}, X / np.sqrt((X**2).sum(1, keepdims=True))),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_it_gives_what_numpy_gives(op: str, arguments: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(of(op, X, **arguments), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("op", "arguments", "expected"),
    [
        ("stack", {"axis": 1}, np.stack([X, Y], 1)),
        ("maximum", {}, np.maximum(X, Y)),
        ("minimum", {}, np.minimum(X, Y)),
        ("divide", {}, X / Y),
        ("dot", {}, np.einsum("bsk,btk->bst", X, Y)),
        ("dot", {"axes": [1, 1]}, np.einsum("bks,bkt->bst", X, Y)),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_two_inputs_give_what_numpy_gives(op: str, arguments: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(of(op, X, Y, **arguments), expected, rtol=1e-5, atol=1e-6)


def test_the_cosine_of_two_vectors_is_one_number_for_each_example() -> None:
    x, y = X[:, 0], 3 * X[:, 0]
    np.testing.assert_allclose(of("dot", x, y, normalize=True), np.ones((2, 1)), rtol=1e-6)


def test_parts_of_a_split_are_the_ranges_of_its_sizes() -> None:
    first, second = of("split", X, sizes=[1, 3], axis=1)
    np.testing.assert_array_equal(first, X[:, :1])
    np.testing.assert_array_equal(second, X[:, 1:])
    assert [part.shape for part in of("split", X, parts=3)] == [(2, 4, 2)] * 3


def test_an_integer_outside_of_the_classes_has_no_one() -> None:
    hot = of("one_hot", np.array([[2, -1, 3]]), classes=3)
    np.testing.assert_array_equal(hot, [[[0, 0, 1], [0, 0, 0], [0, 0, 0]]])


@pytest.mark.parametrize(
    ("op", "shapes", "arguments", "told"),
    [
        ("split", [(2, 5)], {"parts": 2}, "2 equal parts must divide it; give sizes instead"),
        ("split", [(2, 5)], {"sizes": [2, 2]}, "sizes [2, 2] must add up to it"),
        ("stack", [(2, 5), (2, 4)], {}, "arrays that are stacked need one shape"),
        ("select", [(2, 5)], {"index": 5}, "a position that it has, which 5 is not; use one of 0 to 4"),
        ("slice", [(2, 5)], {"start": 5}, "some of it between start 5 and stop None"),
        ("squeeze", [(2, 5)], {"axes": [1]}, "only axes of size 1 can be removed"),
        ("tile", [(2, 5)], {"counts": [1, 2]}, "counts must have one number for each axis but the batch"),
        ("repeat_vector", [(2, 5, 3)], {"times": 2}, "a repeated vector is [batch, features]"),
        ("channel_shuffle", [(2, 5)], {}, "2 groups must divide the channels"),
        ("reduce", [(2, 5)], {"axes": [2]}, "an axis besides the batch, which 2 is not"),
        ("one_hot", [(2, 5)], {"classes": 3}, "one-hot vectors need integers in [0, 3)"),
        ("dot", [(2, 5), (2, 4)], {}, "must be of one size to be summed"),
        ("maxout", [(2, 5)], {}, "groups of 2 must divide it"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_what_does_not_fit_is_told(op: str, shapes: Any, arguments: Any, told: str) -> None:
    assert told in refusal(op, *shapes, **arguments)
