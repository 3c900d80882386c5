"""Dropout: what it keeps, what switches it off, and rates that the compiled program takes as inputs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import array, init, layer, made_up, quick_key

from framework.config.schema.layers import LAYERS
from framework.network.context import Context, TracedValue
from framework.network.layers import module_for

ONES = jnp.ones((200, 100))


def dropped(rate: Any, x: jax.Array, hyper: dict[str, jax.Array] | None = None, seed: int = 0) -> jax.Array:
    module = module_for("dropout")(rate=rate)
    return module.apply({}, x, context=Context(True, None, hyper or {}), rngs={"dropout": quick_key(seed)})  # pyright: ignore[reportReturnType]


def test_what_is_kept_is_scaled_so_that_the_mean_stays() -> None:
    y = np.asarray(dropped(0.2, ONES))
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1.25)}
    # 20000 draws: the mean has a standard deviation of 0.0035.
    assert abs(y.mean() - 1) < 0.02


def test_rows_are_dropped_independently() -> None:
    y = np.asarray(dropped(0.5, ONES)) > 0
    together = (y[:, 0] & y[:, 1]).mean()
    assert abs(together - 0.25) < 0.13


def test_a_plain_zero_draws_no_random_numbers() -> None:
    for op, inputs in (("dropout", (4, 6)), ("attention", (2, 3, 4)), ("transformer_block", (2, 3, 4))):
        module = layer(op, **({"rate": 0.0} if op == "dropout" else {"heads": 2}))
        x = array(inputs)
        variables = made_up(jax.eval_shape(lambda m=module, x=x: init(m, x)))
        program = str(jax.make_jaxpr(lambda x, m=module, v=variables: m.apply(v, x, context=Context(train=True)))(x))
        assert "random" not in program


def test_a_traced_rate_of_zero_changes_nothing() -> None:
    x = array((4, 6))
    y = dropped(TracedValue("drop.rate", 0.5), x, {"drop.rate": jnp.float32(0.0)})
    np.testing.assert_array_equal(x, y)


def test_a_traced_rate_drops_what_the_plain_one_drops() -> None:
    x = array((40, 60))
    traced = jax.jit(lambda rate: dropped(TracedValue("drop.rate", 0.5), x, {"drop.rate": rate}))
    np.testing.assert_allclose(traced(jnp.float32(0.25)), dropped(0.25, x), 1e-6)


def test_without_a_hyper_value_the_default_is_used() -> None:
    x = array((4, 6))
    np.testing.assert_array_equal(dropped(TracedValue("drop.rate", 0.25), x), dropped(0.25, x))


def test_rates_can_be_mapped_over() -> None:
    rates = jnp.asarray([0.0, 0.25, 0.75])
    y = jax.vmap(lambda rate: dropped(TracedValue("drop.rate", 0.5), ONES, {"drop.rate": rate}))(rates)
    np.testing.assert_allclose(np.mean(np.asarray(y) == 0, axis=(1, 2)), rates, atol=0.02)


@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_value_and_gradient_are_finite_for_every_rate(rate: float) -> None:
    def cost(x: jax.Array, rate: jax.Array) -> jax.Array:
        return jnp.sum(dropped(TracedValue("drop.rate", 0.5), x, {"drop.rate": rate}))

    value, slopes = jax.jit(jax.value_and_grad(cost, argnums=(0, 1)))(array((4, 6)), jnp.float32(rate))
    assert np.isfinite(value)
    assert all(np.all(np.isfinite(slope)) for slope in slopes)


def test_evaluation_passes_the_input_on() -> None:
    x = array((4, 6))
    module = layer("dropout", rate=0.9)
    np.testing.assert_array_equal(module.apply({}, x, context=Context()), x)


@pytest.mark.parametrize("rate", [-0.1, 1.0, True, "0.5"])
def test_a_rate_outside_of_zero_to_one_is_refused(rate: Any) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        LAYERS["dropout"](rate=rate)
