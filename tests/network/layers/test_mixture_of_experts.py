"""The mixture of experts against a walk over positions, its costs in closed form, and what padding may not change."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import Shape, array, call, init, layer, refusal

from framework.network.context import Context
from framework.network.layers import routing

OP = "mixture_of_experts"
X = (3, 5, 6)


def drawn(**arguments: Any) -> tuple[Any, Any]:
    """A layer and variables of it of the normal law, biases included, so that choices differ between positions."""
    module = layer(OP, **arguments)
    shapes = jax.eval_shape(lambda: init(module, array(X)))
    random = np.random.default_rng(1)
    return module, jax.tree.map(lambda x: jnp.asarray(random.normal(size=x.shape, scale=0.5), x.dtype), shapes)


def told(
    module: Any, variables: Any, *inputs: Any, mask: jax.Array | None = None, axis: str | None = None
) -> dict[str, jax.Array]:
    """The costs of each example."""

    @jax.jit
    def costs(variables: Any, inputs: Any, mask: Any) -> Any:
        seen = Context(mask=mask, axis=axis)
        return module.apply(variables, *inputs, context=seen, mutable=["costs"])[1]["costs"]

    return costs(variables, inputs, mask)


def given(module: Any, variables: Any, *inputs: Any) -> jax.Array:
    """The output."""
    return jax.jit(lambda variables, inputs: call(module, variables, *inputs))(variables, inputs)


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def walked(
    x: np.ndarray, variables: Any, top_k: int, *, capacity: int | None = None, gated: bool = False, raw: bool = False
) -> np.ndarray:
    """Position by position: [batch, time, features]."""
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])
    y = np.zeros(x.shape)
    for row in range(x.shape[0]):
        used = np.zeros(params["router"]["kernel"].shape[1], int)
        for place in range(x.shape[1]):
            own = np.asarray(x[row, place], np.float64)
            p = softmax(own @ params["router"]["kernel"])
            best = np.argsort(-p, kind="stable")[:top_k]
            for expert in best:
                used[expert] += 1
                if capacity is not None and used[expert] > capacity:
                    continue
                parts = {
                    name: own @ params[name]["kernel"][expert] + params[name]["bias"][expert]
                    for name in ("experts_in", "experts_gate")
                    if name in params
                }
                inner = gelu(parts["experts_gate"]) * parts["experts_in"] if gated else gelu(parts["experts_in"])
                out = inner @ params["experts_out"]["kernel"][expert] + params["experts_out"]["bias"][expert]
                y[row, place] += out * p[expert] / (1 if raw else p[best].sum())
    return y


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(("factor", "capacity"), [(None, None), (0.5, 2), (100.0, None)])
def test_each_position_gets_the_weighted_sum_of_its_experts(
    gated: bool, factor: float | None, capacity: int | None
) -> None:
    module, variables = drawn(experts=4, top_k=2, gated=gated, capacity_factor=factor)
    x = array(X)
    y = given(module, variables, x)
    np.testing.assert_allclose(y, walked(np.asarray(x), variables, 2, capacity=capacity, gated=gated), 1e-4, 1e-5)


def test_one_of_several_experts_is_weighted_by_its_probability() -> None:
    module, variables = drawn(experts=4, top_k=1)
    x = array(X)
    np.testing.assert_allclose(given(module, variables, x), walked(np.asarray(x), variables, 1, raw=True), 1e-4, 1e-5)
    slope = jax.jit(jax.grad(lambda variables: jnp.sum(given(module, variables, x) ** 2)))(variables)["params"][
        "router"
    ]
    assert np.any(slope["kernel"] != 0)  # divided by itself it would be 1, and the router would learn nothing


def test_one_expert_is_a_perceptron() -> None:
    module, variables = drawn(experts=1, top_k=1, hidden=7)
    params, x = variables["params"], array(X)
    hidden = jax.nn.gelu(x @ params["experts_in"]["kernel"][0] + params["experts_in"]["bias"][0])
    expected = hidden @ params["experts_out"]["kernel"][0] + params["experts_out"]["bias"][0]
    np.testing.assert_allclose(given(module, variables, x), expected, 1e-5, 1e-6)


def test_a_flat_batch_is_one_position_for_each_example() -> None:
    module, variables = drawn(experts=4)
    x = array((7, 6))
    np.testing.assert_allclose(given(module, variables, x), given(module, variables, x[:, None])[:, 0], 1e-6, 1e-6)


def test_of_equal_probabilities_the_first_experts_are_chosen() -> None:
    p = jnp.asarray([[0.25, 0.25, 0.25, 0.25], [0.1, 0.4, 0.1, 0.4], [0.2, 0.2, 0.5, 0.1]])
    wanted = [[True, True, False, False], [False, True, False, True], [True, False, True, False]]
    np.testing.assert_array_equal(routing.chosen(p, 2), wanted)


def test_a_router_without_preference_has_balance_one() -> None:
    module, variables = drawn(experts=4)
    variables["params"]["router"]["kernel"] *= 0
    costs = told(module, variables, array(X))
    np.testing.assert_allclose(costs["balance"], np.ones(3), 1e-6)
    np.testing.assert_allclose(costs["router_z"], np.full(3, np.log(4) ** 2), 1e-6)


def test_a_router_that_always_takes_the_same_has_balance_experts_over_top_k() -> None:
    module, variables = drawn(experts=4)
    variables["params"]["router"]["kernel"] = jnp.zeros((6, 4)).at[0, :2].set(100.0)
    costs = told(module, variables, array(X).at[..., 0].set(1.0))
    np.testing.assert_allclose(costs["balance"], np.full(3, 4 / 2), 1e-6)


def test_the_mean_balance_is_experts_times_the_product_of_shares_and_mean_probabilities() -> None:
    module, variables = drawn(experts=4)
    x = array(X)
    p = np.apply_along_axis(
        softmax, -1, np.asarray(x, np.float64) @ np.asarray(variables["params"]["router"]["kernel"])
    )
    best = np.argsort(-p, -1)[..., :2]
    shares = np.bincount(best.ravel(), minlength=4) / best.size
    expected = 4 * shares @ p.reshape(-1, 4).mean(0)
    np.testing.assert_allclose(np.mean(told(module, variables, x)["balance"]), expected, 1e-5)


def test_padding_rows_change_neither_outputs_nor_costs() -> None:
    for factor in (None, 0.5):
        module, variables = drawn(experts=4, capacity_factor=factor)
        x = array(X)
        padded = jnp.concatenate([x, 9 * x[:2]])
        mask = jnp.asarray([1.0, 1.0, 1.0, 0.0, 0.0])
        np.testing.assert_allclose(given(module, variables, padded)[:3], given(module, variables, x), 1e-5, 1e-6)
        costs, alone = told(module, variables, padded, mask=mask), told(module, variables, x)
        for name, values in alone.items():
            np.testing.assert_allclose(costs[name][:3], values, 1e-5)
            np.testing.assert_array_equal(costs[name][3:], 0.0)


def test_masked_positions_get_nothing_take_no_room_and_do_not_count() -> None:
    x = array((2, 6, 6))
    keep = jnp.asarray([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    for factor in (None, 0.7):
        module, variables = drawn(experts=4, capacity_factor=factor)
        y, changed = (
            given(module, variables, x * scale, keep) for scale in (1.0, jnp.where(keep, 1.0, 7.0)[..., None])
        )
        np.testing.assert_array_equal(y[0, 4:], 0.0)
        np.testing.assert_array_equal(y, changed)
    module, variables = drawn(experts=4)
    weighted = told(module, variables, x, keep)
    flat = told(module, variables, x.reshape(12, 6)[keep.reshape(-1) == 1])
    for name, values in flat.items():
        np.testing.assert_allclose(np.mean(weighted[name]), np.mean(values), 1e-5)


def test_devices_with_rows_of_their_own_tell_the_costs_of_all_rows() -> None:
    module, variables = drawn(experts=4)
    x, mask = array((6, 5, 6)), jnp.asarray([1.0, 1, 1, 1, 0, 0])
    whole = told(module, variables, x, mask=mask)

    def one(rows: jax.Array, own: jax.Array) -> Any:
        return told(module, variables, rows, mask=own, axis="data")

    parts = jax.vmap(one, axis_name="data")(x.reshape(3, 2, 5, 6), mask.reshape(3, 2))
    for name, values in whole.items():
        np.testing.assert_allclose(parts[name].reshape(6), values, 1e-5)


@pytest.mark.parametrize("factor", [None, 0.7])
def test_what_a_position_gets_depends_on_no_later_one(factor: float | None) -> None:
    module, variables = drawn(experts=4, capacity_factor=factor)
    x = array(X)
    before, after = (given(module, variables, z) for z in (x, x.at[:, 3:].set(-x[:, 3:])))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.all(np.any(before[:, 3:] != after[:, 3:], -1) | (factor is not None))


def test_experts_that_nobody_chose_get_no_gradient() -> None:
    module, variables = drawn(experts=4)
    variables["params"]["router"]["kernel"] = jnp.zeros((6, 4)).at[0, :2].set(100.0)
    x = array(X).at[..., 0].set(1.0)
    slope = jax.jit(jax.grad(lambda variables: jnp.sum(given(module, variables, x) ** 2)))(variables)["params"]
    for name in ("experts_in", "experts_out"):
        assert np.all(np.any(slope[name]["kernel"][:2] != 0, (1, 2)))
        np.testing.assert_array_equal(slope[name]["kernel"][2:], 0.0)


def test_the_gradient_of_the_costs_agrees_with_finite_differences() -> None:
    with jax.enable_x64(True):
        module, variables = drawn(experts=4)
        variables = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), variables)
        x = jnp.asarray(array(X), jnp.float64)

        def cost(kernel: jax.Array) -> jax.Array:
            params = {**variables["params"], "router": {"kernel": kernel}}
            costs = told(module, {"params": params}, x)
            return costs["balance"].mean() + costs["router_z"].mean()

        kernel = variables["params"]["router"]["kernel"]
        way = jnp.asarray(np.random.default_rng(0).normal(size=kernel.shape))
        cost = jax.jit(cost)
        slope = jnp.vdot(jax.jit(jax.grad(cost))(kernel), way)
        np.testing.assert_allclose(slope, (cost(kernel + 1e-6 * way) - cost(kernel - 1e-6 * way)) / 2e-6, 1e-6)


def test_the_router_computes_in_float32_where_experts_compute_in_bfloat16() -> None:
    module, variables = drawn(experts=4)
    low = layer(OP, experts=4, dtype="bfloat16")
    x = array(X)
    costs, wide = told(low, variables, x), told(module, variables, x)
    assert call(low, variables, x).dtype == jnp.bfloat16
    for name, values in wide.items():
        assert costs[name].dtype == jnp.float32
        np.testing.assert_array_equal(costs[name], values)


@pytest.mark.parametrize(
    ("inputs", "arguments", "text"),
    [
        (
            ((6,),), {"experts": 2},
            "found rank 1 [batch], a mixture of experts needs [batch, ..., features]; put a reshape before it, e.g. "
            "{reshape: {shape: [1]}}",
        ),
        ((X,), {"experts": 1}, "found top_k 2, only 1 experts can be chosen; set top_k=1"),
        (
            ((2, 6),), {"experts": 2, "capacity_factor": 1.0},
            "found rank 2 [batch, 6], a capacity counts the positions of an example, which are more than one; set "
            "capacity_factor=null",
        ),
        (
            (X, jax.ShapeDtypeStruct((3, 4), bool)), {"experts": 2},
            "found mask [batch, 4], a mixture of experts needs [batch, 5]; reshape it",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(
    inputs: tuple[Shape | jax.ShapeDtypeStruct, ...], arguments: dict[str, Any], text: str
) -> None:
    assert refusal(OP, *inputs, **arguments) == text
