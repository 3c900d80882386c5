"""Costs that layers tell reach a loss: over copies, sharing, recomputation and modules of a user's own."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

import framework as fw
from framework.core.errors import ConfigError
from framework.network import Network

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 5, 6)), jnp.float32)
EXPERTS = {"mixture_of_experts": {"experts": 4, "hidden": 3}}


def drawn(network: Network) -> Any:
    """Variables of the normal law."""
    random = np.random.default_rng(1)
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), X))
    return jax.tree.map(lambda leaf: jnp.asarray(random.normal(size=leaf.shape, scale=0.5), leaf.dtype), shapes)


def costs(network: Network, variables: Any, x: jax.Array = X) -> dict[str, jax.Array]:
    run = jax.jit(lambda variables, x: network.apply(variables, x, train=True, costs=True)[1]["costs"])
    return run(variables, x)


@pytest.mark.parametrize("remat", [False, True])
def test_copies_of_a_repeated_node_add_up(remat: bool) -> None:
    scanned = Network({"layers": {"m": {**EXPERTS, "repeat": 3, "remat": remat}}})
    apart = Network({"layers": {f"m{i}": EXPERTS for i in range(3)}})
    variables = drawn(scanned)
    params = {f"m{i}": jax.tree.map(lambda leaf, i=i: leaf[i], variables["params"]["m"]) for i in range(3)}
    together = costs(scanned, variables)
    assert {name: values.shape for name, values in together.items()} == {"balance": (4,), "router_z": (4,)}
    for name, values in costs(apart, {"params": params}).items():
        np.testing.assert_allclose(together[name], values, rtol=1e-5)


def test_copies_that_are_not_stacked_add_up() -> None:
    block = {"fc": {"dense": {"features": 8}}, "m": EXPERTS}
    network = Network({"layers": {"b": {"widen": {}, "repeat": 2}}, "blocks": {"widen": {"layers": block}}})
    variables = drawn(network)
    assert set(variables["params"]) == {"b_0", "b_1"}
    for copy in ("b_0", "b_1"):
        variables["params"][copy]["m"]["router"]["kernel"] *= 0
    np.testing.assert_allclose(costs(network, variables)["balance"], np.full(4, 2.0), rtol=1e-6)


def test_shared_weights_tell_a_cost_at_each_use() -> None:
    network = Network({"layers": {"a": EXPERTS, "b": {"share": "a"}, "c": {"share": "a"}}})
    variables = drawn(network)
    variables["params"]["a"]["router"]["kernel"] *= 0
    np.testing.assert_allclose(costs(network, variables)["balance"], np.full(4, 3.0), rtol=1e-6)


def test_nothing_is_told_where_nobody_asks() -> None:
    network = Network({"layers": {"m": EXPERTS}})
    variables = drawn(network)
    assert set(variables) == {"params"}
    quiet, asked = (
        jax.eval_shape(lambda costs=costs: network.apply(variables, X, train=True, costs=costs))
        for costs in (False, True)
    )
    assert set(quiet[1]) == set() and set(asked[1]) == {"costs"}


class Own(nn.Module):
    """A user's module that tells a cost in Flax's own words."""

    whole: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = nn.Dense(6, use_bias=False)(x)
        self.sow("costs", "size", (y**2).mean() if self.whole else (y**2).mean((1, 2)))
        return y


def test_a_users_module_tells_one_by_sowing_it() -> None:
    network = Network({"layers": {"own": {"module": {"_target_": Own}, "repeat": 2}}})
    variables = drawn(network)
    assert set(variables) == {"params"}
    kernel = variables["params"]["own"]["Dense_0"]["kernel"]
    expected = jnp.mean((X @ kernel[0]) ** 2, (1, 2)) + jnp.mean((X @ kernel[0] @ kernel[1]) ** 2, (1, 2))
    np.testing.assert_allclose(costs(network, variables)["size"], expected, rtol=1e-4)


def test_a_cost_that_is_not_one_of_each_example_is_refused() -> None:
    network = Network({"layers": {"own": {"module": {"_target_": Own, "whole": True}}}})
    variables = drawn(network)
    with pytest.raises(ConfigError) as caught:
        network.apply(variables, X, costs=True)
    assert str(caught.value.problems[0]).startswith(
        "costs.size: own tells float32[]\n  expected:  one number for each of"
    )


def loaded(*overrides: str) -> fw.Experiment:
    """The shipped recipe at the smallest size."""
    network = ["width=4", "heads=1", "hidden=3"]
    data = ["=synthetic_copy", ".examples=40", ".vocabulary=5", ".context=6", ".batch_size=8"]
    small = [*(f"network.args.{item}" for item in network), *(f"data{item}" for item in data), "trainer.steps=2"]
    return fw.load("stdlib_moe", [*small, "trainer.validate_every_steps=null", *overrides])


@pytest.fixture(scope="module")
def trained() -> Any:
    """An experiment with its first state, a batch of five real rows and three of padding, and its step, compiled."""
    experiment = loaded()
    batch = {**experiment.batch(0), "mask": jnp.asarray([1.0] * 5 + [0.0] * 3)}
    return experiment, experiment.init(), batch, jax.jit(experiment.step)


def test_the_total_loss_holds_the_weighted_cost_and_its_gradient_moves_the_router(trained: Any) -> None:
    experiment, state, batch, step = trained
    found = {weight: step(state, batch, {"losses.balance.weight": np.float32(weight)}) for weight in (0.0, 0.5)}
    logs = found[0.5][1]
    np.testing.assert_allclose(logs["loss"], logs["cross_entropy"] + 0.5 * logs["balance"], rtol=1e-6)
    np.testing.assert_allclose(found[0.0][1]["loss"], logs["cross_entropy"], rtol=1e-6)
    told = costs(experiment.network, {"params": state.params}, batch["tokens"][:5])
    np.testing.assert_allclose(logs["balance"], told["balance"].mean(), rtol=1e-5)
    kernels = [after.params["stack"]["think"]["experts"]["router"]["kernel"] for after, _ in found.values()]
    assert np.any(kernels[0] != kernels[1])


def test_padding_rows_do_not_count_in_the_loss(trained: Any) -> None:
    _, state, batch, step = trained
    hyper = {"losses.balance.weight": np.float32(0.5)}
    other = {name: np.concatenate([values[:5], 0 * values[5:]]) for name, values in batch.items()}
    (after, logs), (after_other, logs_other) = step(state, batch, hyper), step(state, other, hyper)
    for name, value in logs.items():
        np.testing.assert_allclose(logs_other[name], value, rtol=1e-6, err_msg=name)
    for left, right in zip(jax.tree.leaves(after.params), jax.tree.leaves(after_other.params), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)


def test_the_weight_of_the_cost_is_swept_in_one_program(trained: Any) -> None:
    experiment, state, batch, _ = trained
    step = jax.jit(jax.vmap(lambda weight: experiment.step(state, batch, {"losses.balance.weight": weight})[1]))
    weights = np.asarray([0.0, 0.3], np.float32)
    logs = step(weights)
    np.testing.assert_allclose(logs["loss"], logs["cross_entropy"] + weights * logs["balance"], rtol=1e-6)


def test_a_cost_that_no_layer_tells_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        loaded("losses.balance.inputs.cost=costs.balanse").check()
    problem = caught.value.problems[0]
    assert (problem.key, problem.found) == ("losses.balance.cost", "nothing is called 'costs.balanse'")
    assert problem.fix == "losses.balance.cost=costs.balance"
