"""`repeat` and `remat`: scanned copies equal unrolled ones, numerically and in their gradients."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.network import Network

X = jnp.linspace(-1.0, 1.0, 8).reshape(2, 4)
BLOCK: dict[str, Any] = {
    "fc": {"dense": {"features": 4}},
    "norm": "batch_norm",
    "act": "tanh",
    "out": {"add": {}, "from": ["act", "input"]},
}


def repeated(copies: int, **words: Any) -> Network:
    return Network({"layers": {"body": {"b": {}, "repeat": copies, **words}}, "blocks": {"b": {"layers": BLOCK}}})


def unrolled(copies: int) -> Network:
    """The same copies, written out as nodes of their own."""
    return Network({"layers": {f"body_{i}": "b" for i in range(copies)}, "blocks": {"b": {"layers": BLOCK}}})


def restacked(variables: Any, copies: int) -> Any:
    """Variables of the scanned network for the unrolled one."""
    return {
        collection: {f"body_{i}": jax.tree.map(lambda leaf, i=i: leaf[i], tree["body"]) for i in range(copies)}
        for collection, tree in variables.items()
    }


def test_weights_of_copies_are_stacked_and_drawn_apart() -> None:
    variables = repeated(3).init(jax.random.key(0), X)
    kernel = variables["params"]["body"]["fc"]["kernel"]
    assert kernel.shape == (3, 4, 4)
    assert variables["batch_stats"]["body"]["norm"]["mean"].shape == (3, 4)
    assert not jnp.array_equal(kernel[0], kernel[1])
    assert not jnp.array_equal(kernel[1], kernel[2])


def test_scanned_copies_equal_unrolled_ones() -> None:
    scan, plain = repeated(3), unrolled(3)
    variables = scan.init(jax.random.key(0), X)
    apart = restacked(variables, 3)
    np.testing.assert_allclose(scan(variables, X), plain(apart, X), rtol=1e-5, atol=1e-6)
    out_scan, updates_scan = scan.apply(variables, X, train=True)
    out_plain, updates_plain = plain.apply(apart, X, train=True)
    np.testing.assert_allclose(out_scan["body"], out_plain["body_2"], rtol=1e-5, atol=1e-6)
    for left, right in zip(jax.tree.leaves(restacked(updates_scan, 3)), jax.tree.leaves(updates_plain), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("copies", [1, 3])
def test_remat_changes_neither_values_nor_gradients(copies: int) -> None:
    plain, remat = repeated(copies), repeated(copies, remat=True)
    variables = plain.init(jax.random.key(0), X)

    def gradient(network: Network) -> Any:
        def loss(params: Any) -> jax.Array:
            return jnp.sum(network(variables | {"params": params}, X) ** 2)

        return jax.value_and_grad(loss)(variables["params"])

    for left, right in zip(jax.tree.leaves(gradient(plain)), jax.tree.leaves(gradient(remat)), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


def test_remat_recomputes_in_the_backward_pass() -> None:
    network = repeated(1, remat=True)
    variables = network.init(jax.random.key(0), X)
    program = str(jax.make_jaxpr(jax.grad(lambda v: network(v, X).sum()))(variables))
    assert "checkpoint" in program or "remat" in program


def test_the_program_does_not_grow_with_the_number_of_copies() -> None:
    def length(copies: int) -> int:
        network = repeated(copies)
        variables = jax.eval_shape(lambda: network.init(jax.random.key(0), X))
        return len(jax.make_jaxpr(lambda v: network(v, X))(variables).jaxpr.eqns)

    assert length(2) == length(20)


def test_copies_that_change_the_shape_are_unrolled() -> None:
    network = Network({"layers": {"fc": {"dense": {"features": 3}, "repeat": 3}}})
    params = network.init(jax.random.key(0), X)["params"]
    assert {name: tree["kernel"].shape for name, tree in params.items()} == {
        "fc_0": (4, 3),
        "fc_1": (3, 3),
        "fc_2": (3, 3),
    }
    expected = X
    for index in range(3):
        expected = expected @ params[f"fc_{index}"]["kernel"] + params[f"fc_{index}"]["bias"]
    np.testing.assert_allclose(network({"params": params}, X), expected, rtol=1e-5)


def test_copies_that_compute_in_another_number_format_are_stacked_all_the_same() -> None:
    network = Network({"layers": {"fc": {"dense": {"features": 4, "dtype": "float16"}, "repeat": 2}}})
    variables = network.init(jax.random.key(0), X)
    fc = variables["params"]["fc"]
    assert fc["kernel"].shape == (2, 4, 4)
    found = network(variables, X)
    assert found.dtype == jnp.float16
    expected = (X @ fc["kernel"][0] + fc["bias"][0]) @ fc["kernel"][1] + fc["bias"][1]
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-3)


def test_each_copy_draws_its_own_dropout() -> None:
    network = Network({"layers": {"d": {"dropout": {"rate": 0.5}, "repeat": 2}}})
    ones = jnp.ones((1, 64))
    kept = network({}, ones, key=jax.random.key(0), train=True)
    assert set(np.unique(kept)) == {0.0, 4.0}
    assert 4 < int((kept == 4).sum()) < 30  # about 16 of 64; both copies alike would keep about 32


def test_repeats_nest() -> None:
    inner = {"layers": {"fc": {"dense": {"features": 4}, "repeat": 2}}}
    network = Network({"layers": {"outer": {"b": {}, "repeat": 3}}, "blocks": {"b": inner}})
    variables = network.init(jax.random.key(0), X)
    assert variables["params"]["outer"]["fc"]["kernel"].shape == (3, 2, 4, 4)
    expected = X
    for kernel in variables["params"]["outer"]["fc"]["kernel"].reshape(6, 4, 4):
        expected = expected @ kernel
    np.testing.assert_allclose(network(variables, X), expected, rtol=1e-4, atol=1e-6)


def test_other_inputs_are_the_same_for_all_copies() -> None:
    network = Network(
        {
            "inputs": {"x": "batch.x", "step": "batch.step"},
            "layers": {"s": {"add": {}, "from": ["x", "step"], "repeat": 5}},
        }
    )
    np.testing.assert_allclose(network({}, {"x": X, "step": jnp.ones((2, 4))}), X + 5, rtol=1e-6)


def test_traced_rates_reach_scanned_copies() -> None:
    network = Network({"layers": {"d": {"dropout": {"rate": 0.5}, "repeat": 2}}})
    key = next(iter(network.traced))
    kept = network({}, X, key=jax.random.key(0), train=True, hyper={key: jnp.float32(0)})
    np.testing.assert_allclose(kept, X)


def test_probes_inside_copies_have_an_axis_of_copies() -> None:
    network = repeated(3)
    variables = network.init(jax.random.key(0), X)
    outputs, updates = network.apply(variables, X, probes=("body.out",))
    probed = updates["intermediates"]["body"]["out"]
    assert probed.shape == (3, 2, 4)
    np.testing.assert_allclose(probed[-1], outputs["body"], rtol=1e-6)
