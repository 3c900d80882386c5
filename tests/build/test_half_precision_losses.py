"""Losses and metrics that are written as formulas compute in float32, whatever the network gives."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from framework.build.components import loss_values, make_metric
from framework.build.wiring import Bound

# In bfloat16, 1 + 1/512 is 1.
SMALL = Bound("losses.small", "expr", {"a": "outputs.a"}, {}, {"expression": "a + 1 / 512 - a"})
ONES = {"a": jnp.ones(4, jnp.bfloat16)}


def test_a_formulas_loss_of_bfloat16_is_computed_in_float32() -> None:
    values = loss_values(SMALL, ONES, {})
    assert values.dtype == jnp.float32
    np.testing.assert_array_equal(values, np.full(4, 1 / 512))


def test_a_formulas_metric_of_bfloat16_is_computed_in_float32() -> None:
    metric = make_metric(SMALL)
    assert metric.compute(metric.update(metric.init(), None, **ONES)) == 1 / 512


def test_a_function_of_the_users_own_is_given_float32() -> None:
    own = Bound("losses.own", "own", {"x": "outputs.a"}, {}, {}, "jax.nn.silu")
    np.testing.assert_allclose(loss_values(own, {"x": ONES["a"]}, {}), np.full(4, 1 / (1 + np.exp(-1))), rtol=1e-6)
