"""What layers draw at random while training has the law that they state, and nothing is drawn otherwise."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import layer, quick_key

from framework.network.context import Context


def drawn(op: str, x: Any, *, seed: int = 1, train: bool = True, **arguments: Any) -> np.ndarray:
    """A layer in training on an array, compiled."""
    module = layer(op, **arguments)
    run = jax.jit(lambda x, key: module.apply({}, x, context=Context(train=train), rngs={"dropout": key}))
    return np.asarray(run(jnp.asarray(x, jnp.float32), quick_key(seed)), np.float64)


def test_stochastic_depth_keeps_or_drops_whole_examples_and_their_mean() -> None:
    y = drawn("stochastic_depth", np.ones((4000, 3, 2)), rate=0.25)
    assert np.all(y == y[:, :1, :1])
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.75])
    np.testing.assert_allclose(y.mean(), 1, atol=0.03)


def test_spatial_dropout_keeps_or_drops_whole_channels() -> None:
    y = drawn("spatial_dropout", np.ones((200, 3, 4, 20)), rate=0.25)
    assert np.all(y == y[:, :1, :1])
    assert np.ptp(y, axis=0).max() > 0
    np.testing.assert_allclose(y.mean(), 1, atol=0.03)


def test_drop_block_drops_whole_blocks_about_as_often_as_stated() -> None:
    y = drawn("drop_block", np.ones((500, 16, 4)), rate=0.2, block=3)
    gone = y == 0
    # A run of zeros is shorter than a block nowhere: each zero lies in three zeros in a row.
    runs = gone[:, :-2] & gone[:, 1:-1] & gone[:, 2:]
    inside = np.zeros_like(gone)
    for step in range(3):
        inside[:, step : step + 14] |= runs
    assert np.array_equal(gone, inside)
    # Blocks overlap, so a little less than the rate is dropped; what stays is scaled to the sum that there was.
    assert 0.16 < gone.mean() < 0.2
    sums = y.sum((1, 2))
    np.testing.assert_allclose(sums, np.full(500, 64.0), rtol=1e-5)


def test_alpha_dropout_keeps_mean_0_and_variance_1() -> None:
    x = np.random.default_rng(0).normal(size=(400, 200))
    y = drawn("alpha_dropout", x, rate=0.3)
    np.testing.assert_allclose([y.mean(), y.var()], [0, 1], atol=0.02)


@pytest.mark.parametrize(
    ("op", "arguments", "mean", "stddev"),
    [
        ("gaussian_noise", {"stddev": 0.5}, 2, 0.5),
        ("gaussian_dropout", {"rate": 0.2}, 2, 2 * 0.5),
    ],
)
def test_noise_has_the_moments_of_its_law(op: str, arguments: Any, mean: float, stddev: float) -> None:
    y = drawn(op, np.full((400, 500), 2.0), **arguments)
    np.testing.assert_allclose([y.mean(), y.std()], [mean, stddev], rtol=0.01)
    z = (y - mean) / stddev
    np.testing.assert_allclose([(z**3).mean(), (z**4).mean()], [0, 3], atol=0.06)
    assert 4 < np.abs(z).max() < 6


def test_random_slopes_lie_in_their_interval_and_are_the_middle_outside_of_training() -> None:
    x = np.full((50, 50), -1.0)
    y = -drawn("rrelu", x, lower=0.1, upper=0.3)
    assert 0.1 <= y.min() < 0.11 < 0.29 < y.max() < 0.3
    np.testing.assert_allclose(drawn("rrelu", x, lower=0.1, upper=0.3, train=False), -0.2 * np.ones_like(x), rtol=1e-6)


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("stochastic_depth", {"rate": 0.0}),
        ("spatial_dropout", {"rate": 0.0}),
        ("drop_block", {"rate": 0.0, "block": 2}),
        ("alpha_dropout", {"rate": 0.0}),
        ("gaussian_dropout", {"rate": 0.0}),
        ("gaussian_noise", {"stddev": 0.0}),
    ],
)
def test_a_rate_of_zero_draws_nothing(op: str, arguments: Any) -> None:
    module = layer(op, **arguments)
    program = jax.make_jaxpr(lambda x: module.apply({}, x, context=Context(train=True)))(jnp.ones((2, 4, 3)))
    assert program.jaxpr.eqns == []
