"""Samples of laws and statistics of what passes, and the costs that they tell."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from layer_cases import array, quick_key, refusal

from framework.network import Network
from framework.network.layers.sampling import normal

LAW = {
    "inputs": {"mean": "batch.mean", "spread": "batch.spread"},
    "layers": {"z": {"gaussian_sample": {}, "from": ["mean", "spread"]}},
}


def sampled(mean: Any, spread: Any, **more: Any) -> tuple[Any, Any]:
    network = Network(LAW)
    outputs, updates = jax.jit(lambda given: network.apply({"params": {}}, given, costs=True, **more))(
        {"mean": jnp.asarray(mean, jnp.float32), "spread": jnp.asarray(spread, jnp.float32)}
    )
    return outputs["z"], updates["costs"]["kl"]


def test_a_standard_normal_law_costs_nothing_and_another_what_the_formula_says() -> None:
    mean, spread = np.zeros((2, 3)), np.zeros((2, 3))
    mean[1], spread[1] = [1.0, -2.0, 0.5], [0.0, 1.0, -2.0]
    z, kl = sampled(mean, spread)
    np.testing.assert_array_equal(z, mean.astype(np.float32))
    np.testing.assert_allclose(kl, [0.0, 0.5 * np.sum(mean[1] ** 2 + np.exp(spread[1]) - 1 - spread[1])], 1e-6)


def test_samples_have_the_mean_and_the_deviation_of_their_law() -> None:
    z, _ = sampled(np.full((20_000, 1), 3.0), np.full((20_000, 1), np.log(4.0)), train=True, key=quick_key(0))
    np.testing.assert_allclose([np.mean(z), np.std(z)], [3.0, 2.0], atol=0.05)


def test_normal_numbers_are_finite_and_follow_the_normal_law() -> None:
    drawn = np.sort(np.asarray(normal(quick_key(3), (100_000,), None)))
    assert np.all(np.isfinite(drawn))
    np.testing.assert_allclose(drawn[[2_275, 15_866, 50_000, 84_134, 97_725]], [-2, -1, 0, 1, 2], atol=0.05)


def test_the_law_s_parameters_need_one_shape() -> None:
    assert refusal("gaussian_sample", (2, 3), (2, 4)) == (
        "found mean [batch, 3] and log_variance [batch, 4], they need one shape; make both of one layer's width"
    )


def test_a_probe_tells_statistics_of_each_example_and_stops_their_gradients() -> None:
    network = Network({"layers": {"act": "relu", "look": {"probe": {"label": "act"}}}})
    x = array((2, 3, 4))

    @jax.jit
    def run(x: jax.Array) -> Any:
        outputs, updates = network.apply({"params": {}}, x, costs=True)
        return outputs["look"], updates["costs"]

    y, told = run(x)
    expected = np.maximum(np.asarray(x), 0).reshape(2, -1)
    np.testing.assert_array_equal(y, expected.reshape(2, 3, 4))
    np.testing.assert_allclose(told["act_mean"], expected.mean(1), 1e-6)
    np.testing.assert_allclose(told["act_rms"], np.sqrt(np.square(expected).mean(1)), 1e-6)
    np.testing.assert_allclose(told["act_zeros"], (expected == 0).mean(1), 1e-6)
    slope = jax.jit(jax.grad(lambda x: sum(value.sum() for value in run(x)[1].values())))(x)
    np.testing.assert_array_equal(slope, np.zeros_like(x))


def test_nothing_is_computed_for_a_probe_that_nobody_reads() -> None:
    network = Network({"layers": {"look": {"probe": {"label": "x"}}}})
    program = jax.make_jaxpr(lambda x: network({"params": {}}, x))(array((2, 3)))
    assert not program.jaxpr.eqns
