"""Layers with kernels of their own kind agree with their formulas in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layer_cases import array, computed, refusal


def params_of(variables: Any) -> Any:
    return variables["params"]


def test_einsum_is_the_product_that_its_equation_says() -> None:
    x = array((2, 3, 4, 6))
    variables, y = computed("einsum", x, equation="...i,hio->...ho", sizes={"h": 2, "o": 5}, bias_axes="o")
    kernel, bias = params_of(variables)["kernel"], params_of(variables)["bias"]
    assert kernel.shape == (2, 6, 5)
    np.testing.assert_allclose(y, np.einsum("abci,hio->abcho", x, kernel) + bias, rtol=1e-5)


def test_einsum_mixes_positions_where_letters_say_so() -> None:
    x = array((2, 3, 6))
    variables, y = computed("einsum", x, equation="bti,ts->bsi", sizes={"s": 4})
    np.testing.assert_allclose(y, np.einsum("bti,ts->bsi", x, params_of(variables)["kernel"]), rtol=1e-5)


def test_bilinear_is_linear_in_each_input() -> None:
    x, y = array((3, 2, 4)), array((3, 2, 5))
    variables, z = computed("bilinear", x, y, features=6)
    kernel, bias = params_of(variables)["kernel"], params_of(variables)["bias"]
    np.testing.assert_allclose(z, np.einsum("abi,ikj,abk->abj", x, kernel, y) + bias, rtol=1e-5)


def test_a_separable_convolution_is_a_depthwise_one_and_a_product() -> None:
    x = np.asarray(array((2, 5, 3)), np.float64)
    variables, y = computed("separable_conv", array((2, 5, 3)), features=4, kernel=3, multiplier=2, padding="valid")
    held = params_of(variables)
    depth = np.stack([sum(x[:, p + k, c] * held["depthwise_kernel"][k, 0, c * 2 + m] for k in range(3))
                      for p in range(3) for c in range(3) for m in range(2)], -1).reshape(2, 3, 6)  # fmt: skip
    np.testing.assert_allclose(y, depth @ held["pointwise_kernel"] + held["bias"], rtol=1e-5)


def test_a_locally_connected_layer_has_a_kernel_for_each_position() -> None:
    x = np.asarray(array((2, 5, 3)), np.float64)
    variables, y = computed("locally_connected", array((2, 5, 3)), features=4, kernel=3, strides=2)
    kernel, bias = params_of(variables)["kernel"], params_of(variables)["bias"]
    for place in range(2):
        window = x[:, 2 * place : 2 * place + 3]  # batch, taps, channels; the kernel has channels first
        expected = window.transpose(0, 2, 1).reshape(2, 9) @ kernel[place] + bias[place]
        np.testing.assert_allclose(y[:, place], expected, rtol=1e-5)


def test_squeeze_excite_weighs_channels_by_their_means() -> None:
    x = np.asarray(array((2, 3, 4, 5)), np.float64)
    variables, y = computed("squeeze_excite", array((2, 3, 4, 5)), hidden=2, gate="hard_sigmoid")
    reduce, expand = params_of(variables)["reduce"], params_of(variables)["expand"]
    small = np.maximum(x.mean((1, 2)) @ reduce["kernel"] + reduce["bias"], 0)
    gate = np.clip((small @ expand["kernel"] + expand["bias"]) / 6 + 0.5, 0, 1)
    np.testing.assert_allclose(y, x * gate[:, None, None], rtol=1e-5)


def test_instance_norm_normalises_each_channel_of_each_example() -> None:
    x = np.asarray(array((2, 4, 3, 5)), np.float64)
    variables, y = computed("instance_norm", array((2, 4, 3, 5)))
    held = params_of(variables)
    z = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, held["scale"] * z + held["bias"], rtol=1e-4, atol=1e-5)


def test_local_response_norm_divides_by_neighbouring_channels() -> None:
    x = np.asarray(array((2, 6)), np.float64)
    _, y = computed("local_response_norm", array((2, 6)), radius=1, alpha=0.5, beta=0.75, bias=1.0)
    total = np.stack([(x[:, max(c - 1, 0) : c + 2] ** 2).sum(1) for c in range(6)], 1)
    np.testing.assert_allclose(y, x / (1 + 0.5 * total) ** 0.75, rtol=1e-5)


def test_a_transposed_convolution_takes_padding_off_as_pytorch_does() -> None:
    """Of 4 positions, kernel 4, strides 2 and padding 1 make 8: (4 - 1) · 2 + 4 - 2, the middle of `valid`."""
    x = array((1, 4, 2))
    _, whole = computed("transposed_conv", x, features=3, kernel=4, strides=2, padding="valid")
    _, y = computed("transposed_conv", x, features=3, kernel=4, strides=2, padding=1)
    _, more = computed("transposed_conv", x, features=3, kernel=4, strides=2, padding=[[1, 0]])
    np.testing.assert_allclose(y, whole[:, 1:-1], rtol=1e-5)
    np.testing.assert_allclose(more, whole[:, 1:], rtol=1e-5)


@pytest.mark.parametrize(
    ("op", "shapes", "arguments", "told"),
    [
        ("einsum", [(2, 6)], {"equation": "...i,io->...o"}, "the size of o does not follow from it; set sizes={o: 64}"),
        ("einsum", [(2, 6)], {"equation": "bti,io->bto", "sizes": {"o": 2}}, "the input of bti,io->bto is [b, t, i]"),
        ("einsum", [(2, 6)], {"equation": "...i,io->...o", "sizes": {"i": 5, "o": 2}}, "its axis i is 6 and not 5"),
        ("bilinear", [(2, 6), (3, 6)], {"features": 2}, "two arrays that differ in the last axis alone"),
    ],
)
def test_what_does_not_fit_is_told(op: str, shapes: Any, arguments: Any, told: str) -> None:
    assert told in refusal(op, *shapes, **arguments)
