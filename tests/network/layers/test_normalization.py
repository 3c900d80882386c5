"""Normalisations against their definitions, and the statistics that batch normalisation keeps."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import array, call, computed, init, layer, made_up, refusal

from framework.lowering.moments import moments
from framework.network.context import Context


def standardised(x: np.ndarray, axes: tuple[int, ...], epsilon: float) -> np.ndarray:
    x = np.asarray(x, np.float64)
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + epsilon)


def trained(module: Any, variables: Any, x: jax.Array, mask: jax.Array | None = None) -> tuple[jax.Array, Any]:
    """The output of a training call and the statistics after it."""
    step = jax.jit(
        lambda v, x, mask: module.apply(v, x, context=Context(train=True, mask=mask), mutable=["batch_stats"])
    )
    output, updates = step(variables, x, mask)
    return output, updates["batch_stats"]


def test_layer_norm_standardises_each_position() -> None:
    x = 3 * array((2, 4, 6)) + 5
    variables, y = computed("layer_norm", x, epsilon=1e-3)
    params = variables["params"]
    expected = standardised(np.asarray(x), (-1,), 1e-3) * params["scale"] + params["bias"]
    np.testing.assert_allclose(y, expected, 1e-5, 1e-5)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm_standardises_each_group(groups: int) -> None:
    x = 3 * array((2, 3, 4, 6)) + 5
    variables, y = computed("group_norm", x, groups=groups, epsilon=1e-3)
    params = variables["params"]
    parts = np.asarray(x).reshape(2, 12, groups, 6 // groups)
    expected = standardised(parts, (1, 3), 1e-3).reshape(x.shape) * params["scale"] + params["bias"]
    np.testing.assert_allclose(y, expected, 1e-5, 1e-5)


def test_rms_norm_divides_by_the_root_mean_square() -> None:
    x = 3 * array((2, 4, 6)) + 5
    variables, y = computed("rms_norm", x, epsilon=1e-3)
    square = (np.asarray(x, np.float64) ** 2).mean(-1, keepdims=True)
    np.testing.assert_allclose(y, x / np.sqrt(square + 1e-3) * variables["params"]["scale"], 1e-5, 1e-5)


def test_rms_norm_of_a_scaled_input_is_the_same() -> None:
    x = array((2, 6))
    _, small = computed("rms_norm", x, epsilon=1e-12)
    _, large = computed("rms_norm", 1000 * x, epsilon=1e-12)
    np.testing.assert_allclose(small, large, 1e-5)


def test_batch_norm_standardises_each_channel_while_training() -> None:
    x = 3 * array((4, 3, 2, 5)) + 5
    variables, y = computed("batch_norm", x, train=True, epsilon=1e-3)
    params = variables["params"]
    expected = standardised(np.asarray(x), (0, 1, 2), 1e-3) * params["scale"] + params["bias"]
    np.testing.assert_allclose(y, expected, 1e-5, 1e-5)


def test_batch_norm_uses_its_kept_statistics_otherwise() -> None:
    x = 3 * array((4, 5)) + 5
    variables, y = computed("batch_norm", x, epsilon=1e-3)
    params, kept = variables["params"], variables["batch_stats"]
    expected = (np.asarray(x) - kept["mean"]) / np.sqrt(kept["var"] + 1e-3) * params["scale"] + params["bias"]
    np.testing.assert_allclose(y, expected, 1e-5, 1e-5)


def test_kept_statistics_start_as_mean_zero_and_variance_one() -> None:
    variables = init(layer("batch_norm"), 3 * array((4, 5)) + 5)
    np.testing.assert_array_equal(variables["batch_stats"]["mean"], np.zeros(5))
    np.testing.assert_array_equal(variables["batch_stats"]["var"], np.ones(5))


def test_kept_statistics_move_by_one_minus_momentum() -> None:
    x = 3 * array((8, 5)) + 5
    module = layer("batch_norm", momentum=0.75)
    variables = init(module, x)
    _, kept = trained(module, variables, x)
    np.testing.assert_allclose(kept["mean"], 0.25 * np.asarray(x).mean(0), 1e-5)
    np.testing.assert_allclose(kept["var"], 0.75 + 0.25 * np.asarray(x).var(0), 1e-5)


def test_masked_batch_norm_is_batch_norm_of_the_real_rows() -> None:
    x = 3 * array((6, 4, 5)) + 5
    mask = jnp.asarray([1, 1, 0, 1, 0, 0], jnp.float32)
    real = np.flatnonzero(mask)
    module = layer("batch_norm")
    variables = made_up(jax.eval_shape(lambda: init(module, x)))
    masked, masked_kept = trained(module, variables, x.at[2].set(1e4), mask)
    alone, alone_kept = trained(module, variables, x[real])
    np.testing.assert_allclose(masked[real], alone, 1e-5, 1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-5, 1e-5), masked_kept, alone_kept)


def test_padding_gets_no_gradient_through_the_statistics() -> None:
    x = array((4, 5))
    mask = jnp.asarray([1, 1, 1, 0], jnp.float32)
    module = layer("batch_norm")
    variables = init(module, x)
    slope = jax.jit(jax.grad(lambda x: jnp.sum(call(module, variables, x, train=True, mask=mask)[:3] ** 3)))(x)
    np.testing.assert_array_equal(slope[3], np.zeros(5))
    assert np.all(slope[:3] != 0)


def test_a_batch_of_padding_alone_leaves_the_kept_statistics() -> None:
    x = array((4, 5))
    module = layer("batch_norm")
    variables = made_up(jax.eval_shape(lambda: init(module, x)))
    output, kept = trained(module, variables, x, jnp.zeros(4))
    jax.tree.map(np.testing.assert_array_equal, kept, variables["batch_stats"])
    assert np.all(np.isfinite(output))


@pytest.mark.parametrize("offset", [0.0, 1e4, -3e5])
def test_the_variance_survives_a_mean_far_from_zero(offset: float) -> None:
    x = np.asarray(array((64, 3))) + np.float32(offset)
    exact = x.astype(np.float64)
    for near in (None, jnp.full((1, 3), offset + 0.5)):
        mean, var, _ = moments(jnp.asarray(x), (0,), near=near)
        np.testing.assert_allclose(mean[0], exact.mean(0), 1e-6, 1e-6)
        np.testing.assert_allclose(var[0], exact.var(0), 1e-4)


def test_a_constant_is_normalised_to_zero() -> None:
    for op in ("layer_norm", "batch_norm"):
        _, y = computed(op, jnp.full((4, 6), 1e3), train=True, use_scale=False, use_bias=False)
        np.testing.assert_array_equal(y, np.zeros((4, 6)))


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "text"),
    [
        (
            "layer_norm",
            (2,),
            {},
            "found rank 1 [batch], layer normalisation needs [batch, ..., features]; put a",
        ),
        ("rms_norm", (2,), {}, "found rank 1 [batch], normalisation needs [batch, ..., features]"),
        ("batch_norm", (2,), {}, "found rank 1 [batch], batch normalisation needs [batch, ..., features]"),
        ("group_norm", (2, 6), {"groups": 4}, "found 6 channels, 4 groups must divide them; set groups to e.g. 3"),
        ("group_norm", (2, 16), {}, "found 16 channels, 32 groups must divide them; set groups to e.g. 16"),
    ],
)
def test_a_shape_that_does_not_fit_is_told(
    op: str, shape: tuple[int, ...], arguments: dict[str, Any], text: str
) -> None:
    assert refusal(op, shape, **arguments).startswith(text)
