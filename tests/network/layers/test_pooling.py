"""Pooling against a direct walk over windows, for windows that tile, overlap, leave gaps and reach into the padding."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import array, call, computed, layer, refusal

Sizes = tuple[int, ...]
Sides = tuple[tuple[int, int], ...]

WINDOWS = [
    ((2, 6, 4), {}, (2,), (2,), ((0, 0),)),
    ((2, 7, 5, 3), {}, (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((2, 7, 5, 3), {"padding": "same"}, (2, 2), (2, 2), ((0, 1), (0, 1))),
    ((2, 7, 5, 3), {"window": [3, 2], "strides": [2, 1]}, (3, 2), (2, 1), ((0, 0), (0, 0))),
    ((2, 6, 6, 3), {"window": 3, "strides": 2, "padding": "same"}, (3, 3), (2, 2), ((0, 1), (0, 1))),
    ((2, 5, 5, 3), {"window": 2, "strides": 3, "padding": [1, [0, 1]]}, (2, 2), (3, 3), ((1, 1), (0, 1))),
    ((2, 4, 4, 4, 2), {}, (2, 2, 2), (2, 2, 2), ((0, 0),) * 3),
]


def pooled(x: np.ndarray, window: Sizes, strides: Sizes, sides: Sides, reduce: Any) -> np.ndarray:
    """NaN marks the padding, so that it takes no part."""
    padded = np.pad(np.asarray(x, np.float64), [(0, 0), *sides, (0, 0)], constant_values=np.nan)
    space = [(n - w) // s + 1 for n, w, s in zip(padded.shape[1:-1], window, strides, strict=True)]
    y = np.zeros((len(x), *space, x.shape[-1]))
    for place in np.ndindex(*space):
        where = tuple(slice(s * p, s * p + w) for s, p, w in zip(strides, place, window, strict=True))
        y[(slice(None), *place)] = reduce(padded[(slice(None), *where)], axis=tuple(range(1, x.ndim - 1)))
    return y


@pytest.mark.parametrize(("shape", "arguments", "window", "strides", "sides"), WINDOWS)
@pytest.mark.parametrize(("op", "reduce"), [("max_pool", np.nanmax), ("avg_pool", np.nanmean)])
def test_pooling_reduces_each_window(
    op: str, reduce: Any, shape: Sizes, arguments: dict[str, Any], window: Sizes, strides: Sizes, sides: Sides
) -> None:
    x = array(shape) - 3.0
    _, y = computed(op, x, **arguments)
    np.testing.assert_allclose(y, pooled(np.asarray(x), window, strides, sides, reduce), 1e-5, 1e-5)


@pytest.mark.parametrize("arguments", [{}, {"window": 3, "strides": 2}])
def test_the_gradient_of_max_pooling_reaches_the_largest_alone(arguments: dict[str, Any]) -> None:
    x = array((1, 6, 6, 2))
    pool = layer("max_pool", **arguments)
    slope = jax.jit(jax.grad(lambda x: jnp.sum(call(pool, {}, x))))(x)
    size = arguments.get("window", 2)
    expected = np.zeros(x.shape)
    for row in range(0, 6 - size + 1, 2):
        for column in range(0, 6 - size + 1, 2):
            for channel in range(2):
                part = np.asarray(x)[0, row : row + size, column : column + size, channel]
                i, j = np.unravel_index(part.argmax(), part.shape)
                expected[0, row + i, column + j, channel] += 1
    np.testing.assert_array_equal(slope, expected)


def test_max_pooling_takes_integers() -> None:
    x = jnp.arange(8, dtype=jnp.int32).reshape(1, 8, 1) - 20
    for strides, largest in ((3, -18), (1, -19)):
        pool = layer("max_pool", padding="same", window=3, strides=strides)
        assert call(pool, {}, x).dtype == jnp.int32
        assert int(call(pool, {}, x)[0, 0, 0]) == largest


@pytest.mark.parametrize(("op", "reduce"), [("global_avg_pool", np.mean), ("global_max_pool", np.max)])
@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 4, 5, 3), (1, 2, 3, 4, 2)])
def test_global_pooling_reduces_all_space(op: str, reduce: Any, shape: Sizes) -> None:
    x = array(shape)
    _, y = computed(op, x)
    axes = tuple(range(1, len(shape) - 1))
    np.testing.assert_allclose(y, reduce(np.asarray(x), axis=axes), 1e-5, 1e-6)
    _, kept = computed(op, x, keep_dims=True)
    np.testing.assert_allclose(kept, reduce(np.asarray(x), axis=axes, keepdims=True), 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "text"),
    [
        ("max_pool", (2, 64), {}, "found rank 2 [batch, 64], a pooling window needs [batch, *space, channels]"),
        ("avg_pool", (2, 1, 4, 3), {}, "found space [1, 4], a window that reaches over [2, 2] needs an input"),
        ("avg_pool", (2, 4, 3), {"padding": 2}, "found padding [[2, 2]], a window of [2] could hold padding alone"),
        ("global_avg_pool", (2, 3), {}, "found rank 2 [batch, 3], global pooling needs [batch, *space, channels]"),
    ],
)
def test_a_shape_that_does_not_fit_is_told(op: str, shape: Sizes, arguments: dict[str, Any], text: str) -> None:
    assert refusal(op, shape, **arguments).startswith(text)
