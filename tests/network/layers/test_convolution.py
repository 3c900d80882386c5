"""Convolutions against a direct sum over kernel taps, and the shapes that they refuse."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import array, call, computed, init, layer, refusal

from framework.config.schema.layers import LAYERS

Sizes = tuple[int, ...]


def convolved(
    x: np.ndarray,
    kernel: np.ndarray,
    strides: Sizes,
    around: tuple[tuple[int, int], ...],
    dilation: Sizes,
    groups: int = 1,
) -> np.ndarray:
    """The sum of the definition, tap by tap and group by group."""
    size, features = kernel.shape[:-2], kernel.shape[-1]
    padded = np.pad(np.asarray(x, np.float64), [(0, 0), *around, (0, 0)])
    reach = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    space = [(n - r) // s + 1 for n, r, s in zip(padded.shape[1:-1], reach, strides, strict=True)]
    y = np.zeros((len(x), *space, features))
    edges = list(pairwise(np.linspace(0, x.shape[-1], groups + 1).astype(int)))
    outs = list(pairwise(np.linspace(0, features, groups + 1).astype(int)))
    for place in np.ndindex(*space):
        for tap in np.ndindex(*size):
            where = tuple(s * p + d * k for s, p, d, k in zip(strides, place, dilation, tap, strict=True))
            for (low, high), (first, last) in zip(edges, outs, strict=True):
                seen = padded[(slice(None), *where, slice(low, high))]
                y[(slice(None), *place, slice(first, last))] += seen @ kernel[tap][:, first:last]
    return y


@pytest.mark.parametrize(
    ("shape", "arguments", "strides", "around", "dilation"),
    [
        ((2, 7, 3), {"kernel": 3, "padding": "causal", "dilation": 2}, (1,), ((4, 0),), (2,)),
        ((2, 7, 3), {"kernel": 4, "strides": 2}, (2,), ((1, 2),), (1,)),
        ((2, 6, 5, 4), {"kernel": [3, 2], "strides": [2, 1], "groups": 2}, (2, 1), ((0, 1), (0, 1)), (1, 1)),
        ((1, 5, 5, 2), {"kernel": 3, "padding": 1, "dilation": [1, 2]}, (1, 1), ((1, 1), (1, 1)), (1, 2)),
        ((1, 5, 4, 2), {"kernel": 2, "padding": [2, [0, 1]]}, (1, 1), ((2, 2), (0, 1)), (1, 1)),
        ((1, 4, 3, 3, 2), {"kernel": 2, "padding": "valid"}, (1, 1, 1), ((0, 0),) * 3, (1, 1, 1)),
    ],
)
def test_convolution_is_the_sum_over_taps(
    shape: Sizes, arguments: dict[str, Any], strides: Sizes, around: tuple[tuple[int, int], ...], dilation: Sizes
) -> None:
    x = array(shape)
    variables, y = computed("conv", x, features=4, **arguments)
    params = variables["params"]
    groups = arguments.get("groups", 1)
    expected = convolved(np.asarray(x), params["kernel"], strides, around, dilation, groups) + params["bias"]
    np.testing.assert_allclose(y, expected, 1e-4, 1e-5)


def test_depthwise_convolution_is_one_convolution_for_each_channel() -> None:
    x = array((2, 6, 5, 3))
    variables, y = computed("depthwise_conv", x, kernel=3, multiplier=2, strides=2, padding="valid")
    kernel, bias = variables["params"]["kernel"], variables["params"]["bias"]
    for channel in range(3):
        own = slice(2 * channel, 2 * channel + 2)
        alone = convolved(np.asarray(x)[..., channel : channel + 1], kernel[..., own], (2, 2), ((0, 0),) * 2, (1, 1))
        np.testing.assert_allclose(y[..., own], alone + bias[own], 1e-4, 1e-5)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding", "around", "size"),
    [
        (3, 2, 1, "valid", (2, 2), 9),
        (2, 3, 1, "valid", (1, 2), 12),
        (3, 2, 2, "valid", (4, 4), 11),
        (3, 2, 1, "same", (2, 1), 8),
        (4, 2, 1, "same", (2, 2), 8),
        (2, 3, 1, "same", (1, 2), 12),
    ],
)
def test_transposed_convolution_is_one_over_inputs_with_zeros_between(
    kernel: int, stride: int, dilation: int, padding: str, around: tuple[int, int], size: int
) -> None:
    x = array((2, 4, 3))
    arguments = {"features": 2, "kernel": kernel, "strides": stride, "dilation": dilation, "padding": padding}
    variables, y = computed("transposed_conv", x, **arguments)
    spread = np.zeros((2, 3 * stride + 1, 3))
    spread[:, ::stride] = np.asarray(x)
    params = variables["params"]
    expected = convolved(spread, params["kernel"], (1,), (around,), (dilation,)) + params["bias"]
    assert y.shape == (2, size, 2)
    np.testing.assert_allclose(y, expected, 1e-4, 1e-5)


def test_a_transposed_convolution_undoes_the_shape_of_a_strided_one() -> None:
    down = layer("conv", features=3, kernel=3, strides=2)
    up = layer("transposed_conv", features=3, kernel=3, strides=2)
    x = array((1, 8, 8, 3))
    small = jax.eval_shape(lambda: call(down, init(down, x), x))
    assert jax.eval_shape(lambda y: call(up, init(up, y), y), small).shape == x.shape


def test_a_causal_convolution_does_not_see_the_future() -> None:
    x = array((1, 6, 2))
    changed = x.at[:, 4:].add(1.0)
    _, before = computed("conv", x, features=3, kernel=3, padding="causal")
    _, after = computed("conv", changed, features=3, kernel=3, padding="causal")
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.all(before[:, 4:] != after[:, 4:])


def test_unsigned_bytes_are_taken_as_numbers() -> None:
    x = jnp.arange(2 * 4 * 4, dtype=jnp.uint8).reshape(2, 4, 4, 1)
    _, bytes_in = computed("conv", x, features=2, kernel=3)
    _, floats_in = computed("conv", x.astype(jnp.float32), features=2, kernel=3)
    np.testing.assert_array_equal(bytes_in, floats_in)


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "text"),
    [
        (
            "conv", (2, 64), {"features": 4, "kernel": 3},
            "found rank 2 [batch, 64], a convolution needs [batch, *space, channels] with 1 to 3 space dimensions; "
            "put a reshape before it, e.g. {reshape: {shape: [8, 8, 1]}}",
        ),
        (
            "conv", (2, 2, 2, 2, 2, 2), {"features": 4, "kernel": 1},
            "found rank 6 [batch, 2, 2, 2, 2, 2], a convolution needs [batch, *space, channels] with 1 to 3 space "
            "dimensions; merge axes with a reshape before it",
        ),
        (
            "conv", (2, 8, 3), {"features": 4, "kernel": [3, 3]},
            "found kernel [3, 3], kernel of an input with 1 space dimension is one integer or a list of 1; "
            "set kernel=3",
        ),
        (
            "conv", (2, 8, 8, 3), {"features": 4, "kernel": 3, "padding": "causal"},
            "found 2 space dimensions, padding causal needs one (time); set padding=same",
        ),
        (
            "conv", (2, 8, 3), {"features": 4, "kernel": 3, "padding": [1, 2]},
            "found padding [1, 2], padding of an input with 1 space dimension is one integer or a list of 1; use an "
            "integer, or a pair for each dimension, e.g. [[1, 1]]",
        ),
        (
            "conv", (2, 4, 4, 3), {"features": 4, "kernel": 5, "padding": "valid"},
            "found space [4, 4], a kernel that reaches over [5, 5] needs an input of at least that size; "
            "set padding=same, or take a smaller size",
        ),
        (
            "conv", (2, 4, 4, 6), {"features": 8, "kernel": 1, "groups": 3},
            "found 6 channels and 8 features, 3 groups must divide both; set groups to 2 or a divisor of it",
        ),
        (
            "depthwise_conv", (2, 4), {"kernel": 1},
            "found rank 2 [batch, 4], a convolution needs [batch, *space, channels] with 1 to 3 space dimensions; "
            "put a reshape before it, e.g. {reshape: {shape: [8, 8, 1]}}",
        ),
        (
            "transposed_conv", (2, 8, 3), {"features": 4, "kernel": 3, "strides": [2, 2]},
            "found strides [2, 2], strides of an input with 1 space dimension is one integer or a list of 1; "
            "set strides=2",
        ),
    ],
)  # fmt: skip
def test_a_shape_that_does_not_fit_is_told(op: str, shape: Sizes, arguments: dict[str, Any], text: str) -> None:
    assert refusal(op, shape, **arguments) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("kernel", 0, "found 0; expected a positive integer, or a list with one for each space dimension"),
        ("kernel", [3, 3, 3, 3], "found [3, 3, 3, 3]; expected a positive integer"),
        ("kernel", True, "found True; expected a positive integer"),
        ("padding", "sam", "found 'sam'; expected same, valid, causal, one integer for all sides, or a list"),
        ("padding", [[1, 2, 3]], "found [[1, 2, 3]]; expected same, valid, causal, one integer"),
        ("padding", -1, "found -1; expected same, valid, causal"),
    ],
)
def test_an_argument_that_is_no_size_is_told_in_one_sentence(name: str, value: Any, text: str) -> None:
    with pytest.raises(ValueError, match="1 validation error") as caught:
        LAYERS["conv"](**{"features": 4, "kernel": 3, name: value})
    assert text in str(caught.value)
