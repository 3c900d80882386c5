"""Changes of shape, operations between arrays, and those that pass one on."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import Shape, array, call, computed, init, layer, refusal

from framework.config.schema.layers import LAYERS


def test_dense_is_an_affine_map_of_the_last_axis() -> None:
    x = array((2, 3, 4))
    variables, y = computed("dense", x, features=5)
    params = variables["params"]
    np.testing.assert_allclose(y, np.asarray(x) @ params["kernel"] + params["bias"], 1e-5, 1e-5)


def test_dense_without_a_bias_is_linear() -> None:
    variables, y = computed("dense", jnp.zeros((2, 4)), features=5, use_bias=False)
    assert list(variables["params"]) == ["kernel"]
    np.testing.assert_array_equal(y, np.zeros((2, 5)))


@pytest.mark.parametrize(("shape", "out"), [((2, 3, 4), (2, 12)), ((2,), (2, 1)), ((0, 3, 4), (0, 12))])
def test_flatten_keeps_the_batch(shape: Shape, out: Shape) -> None:
    np.testing.assert_array_equal(call(layer("flatten"), {}, jnp.ones(shape)), np.ones(out))


@pytest.mark.parametrize(
    ("given", "new", "out"), [((2, 12), [3, -1], (2, 3, 4)), ((2, 12), [3, 4, 1], (2, 3, 4, 1)), ((2, 1), [], (2,))]
)
def test_reshape_keeps_the_batch_and_the_order(given: Shape, new: list[int], out: Shape) -> None:
    x = array(given)
    np.testing.assert_array_equal(call(layer("reshape", shape=new), {}, x), np.asarray(x).reshape(out))


def test_transpose_without_axes_reverses_all_but_the_batch() -> None:
    x = array((2, 3, 4, 5))
    np.testing.assert_array_equal(call(layer("transpose"), {}, x), np.asarray(x).transpose(0, 3, 2, 1))


@pytest.mark.parametrize(("axis", "place"), [(-1, 2), (1, 1), (-2, 1), (2, 2)])
def test_concat_joins_along_one_axis(axis: int, place: int) -> None:
    parts = [array(tuple(size if place == other else 3 for other in range(3))) for size in (2, 4)]
    y = call(layer("concat", axis=axis), {}, *parts)
    np.testing.assert_array_equal(y, np.concatenate([np.asarray(part) for part in parts], place))


@pytest.mark.parametrize(("op", "expected"), [("add", 2 + 3 + 5), ("multiply", 2 * 3 * 5), ("average", 10 / 3)])
def test_arithmetic_takes_any_number_of_inputs(op: str, expected: float) -> None:
    numbers = [jnp.full((2, 3), value) for value in (2.0, 3.0, 5.0)]
    np.testing.assert_allclose(call(layer(op), {}, *numbers), np.full((2, 3), expected), 1e-6)
    np.testing.assert_array_equal(call(layer(op), {}, numbers[0]), numbers[0])


def test_subtract_takes_the_second_from_the_first() -> None:
    np.testing.assert_array_equal(
        call(layer("subtract"), {}, jnp.ones((2, 3)), jnp.full((2, 1), 3.0)), -2 * np.ones((2, 3))
    )


def test_stop_gradient_passes_the_value_and_no_gradient() -> None:
    x = array((2, 3))
    value, slope = jax.value_and_grad(lambda x: jnp.sum(call(layer("stop_gradient"), {}, x)))(x)
    np.testing.assert_allclose(value, np.asarray(x).sum(), 1e-6)
    np.testing.assert_array_equal(slope, np.zeros((2, 3)))


def test_cast_rounds_to_the_format_and_passes_the_gradient() -> None:
    x = jnp.asarray([[1.0 + 2**-10, -3.0]])
    module = layer("cast", dtype="bfloat16")
    np.testing.assert_array_equal(call(module, {}, x).astype(jnp.float32), [[1.0, -3.0]])
    np.testing.assert_array_equal(jax.grad(lambda x: call(module, {}, x).sum().astype(jnp.float32))(x), [[1.0, 1.0]])


@pytest.mark.parametrize("name", ["zeros", "ones"])
def test_constant_initialisers_are_constant(name: str) -> None:
    module = layer("dense", features=3, kernel_init=name, bias_init=name)
    for value in jax.tree.leaves(init(module, array((2, 4)))):
        np.testing.assert_array_equal(value, np.full(value.shape, float(name == "ones")))


@pytest.mark.parametrize(
    ("name", "deviation"),
    [
        ("normal", 0.02),
        ("truncated_normal", 0.02 * 0.8796),
        ("uniform", 0.05 / 3**0.5),
        ("lecun_normal", 36**-0.5),
        ("lecun_uniform", 36**-0.5),
        ("glorot_normal", (2 / (36 + 9 * 64)) ** 0.5),
        ("glorot_uniform", (2 / (36 + 9 * 64)) ** 0.5),
        ("he_normal", (2 / 36) ** 0.5),
        ("he_uniform", (2 / 36) ** 0.5),
    ],
)
def test_random_initialisers_have_the_deviation_of_their_source(name: str, deviation: float) -> None:
    kernel = init(layer("conv", features=64, kernel=3, kernel_init=name), array((1, 3, 3, 4)))["params"]["kernel"]
    # 2304 draws: the deviation is known to about 2 %.
    np.testing.assert_allclose(np.std(kernel), deviation, 0.06)
    assert abs(np.mean(kernel)) < 4 * deviation / 48


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.03)])
def test_an_orthogonal_kernel_keeps_lengths(dtype: str, tolerance: float) -> None:
    module = layer("dense", features=6, kernel_init="orthogonal", param_dtype=dtype)
    kernel = np.asarray(init(module, array((2, 4)))["params"]["kernel"].astype(jnp.float32))
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(4), atol=tolerance)


def test_an_embedding_starts_with_unit_length() -> None:
    table = init(layer("embed", vocabulary=200, features=16), jnp.zeros((1, 1), jnp.int32))["params"]["embedding"]
    np.testing.assert_allclose(np.square(table).sum(1).mean(), 1.0, 0.1)


def test_the_maps_of_attention_scale_by_their_own_sizes() -> None:
    module = layer("attention", heads=4, kernel_init="glorot_uniform")
    params = init(module, array((1, 2, 32)))["params"]
    # Each of the three maps has 32 inputs and 32 outputs.
    np.testing.assert_allclose(np.std(params["qkv"]["kernel"]), 32**-0.5, 0.06)
    np.testing.assert_allclose(np.std(params["out"]["kernel"]), 32**-0.5, 0.1)


@pytest.mark.parametrize("name", ["lecun_uniform", "orthogonal", "uniform"])
def test_every_initialiser_serves_a_bias(name: str) -> None:
    bias = init(layer("dense", features=3, bias_init=name), array((2, 4)))["params"]["bias"]
    assert bias.shape == (3,)
    assert np.all(bias != 0)


@pytest.mark.parametrize(
    ("op", "inputs", "arguments", "text"),
    [
        ("dense", ((2,),), {"features": 3}, "found rank 1 [batch], a dense layer maps the last axis of"),
        (
            "reshape", ((2, 12),), {"shape": [5, 2]},
            "found [batch, 12], shape [batch, 5, 2] needs 10 elements for each example and not 12; give sizes whose "
            "product is 12, or make one -1",
        ),
        (
            "reshape", ((2, 12),), {"shape": [5, -1]},
            "found [batch, 12], shape [batch, 5, -1] needs a multiple of 5 elements for each example and not 12; give",
        ),
        (
            "transpose", ((2, 3, 4),), {"axes": [1]},
            "found rank 3 [batch, 3, 4], axes must name each axis but the batch; set axes to an order of [1, 2]",
        ),
        (
            "concat", ((2, 3, 4), (2, 5, 6)), {},
            "found [batch, 3, 4], [batch, 5, 6], all sizes but those of axis -1 must agree; make them equal",
        ),
        (
            "concat", ((2, 3), (2, 3)), {"axis": 2},
            "found rank 2 [batch, 3], an axis besides the batch, which 2 is not; use one of 1 to 1, or -1",
        ),
        (
            "add", ((2, 3, 4), (2, 4)), {},
            "found [batch, 3, 4], [batch, 4], arrays that are combined need one rank and sizes that are equal or 1; "
            "put a dense, conv or reshape before one of them",
        ),
        ("multiply", ((2, 3), (2, 4)), {}, "found [batch, 3], [batch, 4], arrays that are combined need one rank"),
        ("subtract", ((2, 3), (2, 4)), {}, "found [batch, 3], [batch, 4], arrays that are combined need one rank"),
        ("softmax", ((2,),), {}, "found rank 1 [batch], an axis besides the batch, which -1 is not; put a reshape"),
        ("softmax", ((2, 3),), {"axis": 2}, "found rank 2 [batch, 3], an axis besides the batch, which 2 is not; use"),
        ("glu", ((2, 3),), {}, "found size 3 in axis -1, a gated unit halves it; make it even"),
    ],
)  # fmt: skip
def test_a_shape_that_does_not_fit_is_told(
    op: str, inputs: tuple[Shape, ...], arguments: dict[str, Any], text: str
) -> None:
    assert refusal(op, *inputs, **arguments).startswith(text)


@pytest.mark.parametrize(
    ("op", "arguments", "text"),
    [
        ("reshape", {"shape": [-1, -1]}, "found [-1, -1]; expected positive sizes, of which one may be -1"),
        ("reshape", {"shape": [0, 3]}, "found [0, 3]; expected positive sizes"),
        ("reshape", {"shape": 3}, "found 3; expected a list of integers"),
        ("transpose", {"axes": [0, 1]}, "found [0, 1]; expected each of the axes 1, 2, ... once, without 0, the batch"),
        ("transpose", {"axes": [1, 3]}, "found [1, 3]; expected each of the axes 1, 2, ... once"),
        ("concat", {"axis": 0}, "found 0, which is the batch; expected an axis of the example, e.g. -1"),
        ("softmax", {"axis": 0}, "found 0, which is the batch; expected an axis of the example, e.g. -1"),
    ],
)
def test_an_argument_that_does_not_fit_is_told(op: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match="1 validation error") as caught:
        LAYERS[op](**arguments)
    assert text in str(caught.value)
