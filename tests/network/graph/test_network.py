"""`Network`: closed forms of shapes and counts, the contract of `init` and `apply`, traced scalars, probes."""

from __future__ import annotations

import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.core.errors import ConfigError
from framework.core.trees import named_leaves, size
from framework.network import Network

X = jnp.linspace(-1.0, 1.0, 8).reshape(2, 4)
MLP: dict[str, Any] = {
    "layers": {
        "hidden": {"dense": {"features": 8}},
        "act": "relu",
        "drop": {"dropout": {"rate": 0.5}},
        "logits": {"dense": {"features": 3}},
    }
}


def test_parameters_are_counted_and_named_by_node() -> None:
    variables = Network(MLP).init(jax.random.key(0), X)
    assert set(named_leaves(variables)) == {
        "params.hidden.kernel",
        "params.hidden.bias",
        "params.logits.kernel",
        "params.logits.bias",
    }
    assert size(variables) == (4 * 8 + 8) + (8 * 3 + 3)


def test_the_network_computes_what_its_layers_compute() -> None:
    network = Network(MLP)
    params = network.init(jax.random.key(0), X)["params"]
    hidden = jax.nn.relu(X @ params["hidden"]["kernel"] + params["hidden"]["bias"])
    expected = hidden @ params["logits"]["kernel"] + params["logits"]["bias"]
    np.testing.assert_allclose(network({"params": params}, X), expected, rtol=1e-6)


def test_apply_gives_outputs_by_name_and_no_updates_without_state() -> None:
    network = Network(MLP)
    outputs, updates = network.apply(network.init(jax.random.key(0), X), X)
    assert set(outputs) == {"logits"}
    assert outputs["logits"].shape == (2, 3)
    assert updates == {}


def test_init_takes_shapes_alone_and_is_a_function_of_its_key() -> None:
    network = Network(MLP)
    spec = jax.ShapeDtypeStruct((1, 4), jnp.float32)
    first, again, other = (network.init(jax.random.key(seed), spec) for seed in (0, 0, 1))
    assert jax.tree.all(jax.tree.map(jnp.array_equal, first, again))
    assert not jnp.array_equal(first["params"]["hidden"]["kernel"], other["params"]["hidden"]["kernel"])


def test_init_can_be_vectorized_and_evaluated_abstractly() -> None:
    network = Network(MLP)
    stacked = jax.vmap(lambda key: network.init(key, X))(jax.random.split(jax.random.key(0), 3))
    assert stacked["params"]["hidden"]["kernel"].shape == (3, 4, 8)
    assert size(jax.eval_shape(lambda: network.init(jax.random.key(0), X))) == 67


def test_init_of_a_network_without_parameters_is_empty() -> None:
    network = Network({"layers": {"a": "relu"}})
    assert network.init(jax.random.key(0), X) == {"params": {}}
    np.testing.assert_array_equal(network({"params": {}}, X), jax.nn.relu(X))


def test_several_inputs_and_outputs_go_by_name() -> None:
    network = Network(
        {
            "inputs": {"a": "batch.a", "b": "batch.b"},
            "layers": {"s": {"add": {}, "from": ["a", "b"]}, "p": {"multiply": {}, "from": ["a", "b"]}},
            "outputs": {"total": "s", "product": "p", "same": "a"},
        }
    )
    assert network.wiring == {"a": "batch.a", "b": "batch.b"}
    outputs = network({}, {"a": X, "b": 2 * X})
    np.testing.assert_array_equal(outputs["total"], 3 * X)
    np.testing.assert_array_equal(outputs["product"], 2 * X * X)
    np.testing.assert_array_equal(outputs["same"], X)


def test_missing_and_unknown_inputs_are_told() -> None:
    network = Network({"inputs": {"image": "batch.image"}, "layers": {"a": "relu"}})
    np.testing.assert_array_equal(network({}, X), network({}, {"image": X}))
    with pytest.raises(ConfigError, match=r"(?s)no input 'imge' \(did you mean 'image'\?\).*'image' is not given"):
        network({}, {"imge": X})
    two = Network({"inputs": {"a": "batch.a", "b": "batch.b"}, "layers": {"s": {"add": {}, "from": ["a", "b"]}}})
    with pytest.raises(ConfigError, match="one array for several inputs"):
        two({}, X)


def test_dropout_draws_only_while_training() -> None:
    network = Network(MLP)
    variables = network.init(jax.random.key(0), X)

    def drawn(seed: int, train: bool) -> jax.Array:
        return network(variables, X, key=jax.random.key(seed), train=train)

    assert not jnp.array_equal(drawn(1, True), drawn(2, True))
    assert jnp.array_equal(drawn(1, True), drawn(1, True))
    assert jnp.array_equal(drawn(1, False), drawn(2, False))


def test_training_without_a_key_says_so() -> None:
    network = Network(MLP)
    variables = network.init(jax.random.key(0), X)
    with pytest.raises(ConfigError, match=r"network.layers.drop: 'dropout' draws random numbers.*no key") as raised:
        network.apply(variables, X, train=True)
    assert "key=jax.random.key(0)" in (raised.value.problems[0].fix or "")


def test_traced_rates_come_from_hyper() -> None:
    network = Network(MLP)
    variables = network.init(jax.random.key(0), X)
    (key,) = network.traced
    assert network.traced == {"network.layers.drop.dropout.rate": 0.5}

    def trained(rate: jax.Array) -> jax.Array:
        return network(variables, X, key=jax.random.key(1), train=True, hyper={key: rate})

    rates = jnp.array([0.0, 0.5])
    off, declared = jax.vmap(trained)(rates)
    np.testing.assert_allclose(off, network(variables, X), rtol=1e-6)
    np.testing.assert_allclose(declared, network(variables, X, key=jax.random.key(1), train=True), rtol=1e-6)


def test_a_rate_of_zero_is_compiled_away() -> None:
    network = Network({"layers": {"drop": {"dropout": {"rate": 0.0}}}})
    assert network.traced == {}
    np.testing.assert_array_equal(network({}, X, train=True), X)


def test_batch_statistics_are_updates_and_only_while_training() -> None:
    network = Network({"layers": {"norm": "batch_norm"}})
    variables = network.init(jax.random.key(0), X)
    _, updates = network.apply(variables, X, train=True)
    assert set(updates) == {"batch_stats"}
    assert jax.tree.structure(updates["batch_stats"]) == jax.tree.structure(variables["batch_stats"])
    assert network.apply(variables, X)[1] == {}


def test_the_mask_reaches_the_layers() -> None:
    network = Network({"layers": {"norm": "batch_norm"}})
    variables = network.init(jax.random.key(0), X)
    padded = jnp.concatenate([X, jnp.full((2, 4), 9.0)])
    _, masked = network.apply(variables, padded, train=True, mask=jnp.array([1.0, 1.0, 0.0, 0.0]))
    _, plain = network.apply(variables, X, train=True)
    np.testing.assert_allclose(masked["batch_stats"]["norm"]["mean"], plain["batch_stats"]["norm"]["mean"], rtol=1e-5)


def test_probes_are_nested_by_path() -> None:
    network = Network(
        {"layers": {"a": {"residual": {"layers": {"b": {"dense": {"features": 4}}, "c": "relu"}}}, "d": "tanh"}}
    )
    variables = network.init(jax.random.key(0), X)
    outputs, updates = network.apply(variables, X, probes=("a.b", "d"))
    assert set(updates) == {"intermediates"}
    probed = updates["intermediates"]
    np.testing.assert_allclose(probed["d"], outputs["d"])
    np.testing.assert_allclose(jnp.tanh(jax.nn.relu(probed["a"]["b"]) + X), outputs["d"], rtol=1e-6)


def test_unknown_and_nested_probes_are_told() -> None:
    network = Network({"layers": {"a": {"sequential": {"layers": {"b": "relu"}}}}})
    with pytest.raises(ConfigError, match=r"intermediates.a.c: no node is called 'a.c' \(did you mean 'a.b'\?\)"):
        network.apply({}, X, probes=("a.c",))
    with pytest.raises(ConfigError, match=r"intermediates.a.b: 'a' is asked for too"):
        network.apply({}, X, probes=("a", "a.b"))


def test_gradients_flow_through_the_whole_graph() -> None:
    network = Network(MLP)
    variables = network.init(jax.random.key(0), X)
    gradients = jax.jit(jax.grad(lambda params: network({"params": params}, X).sum()))(variables["params"])
    np.testing.assert_allclose(gradients["logits"]["bias"], [2.0, 2.0, 2.0])
    assert jnp.abs(gradients["hidden"]["kernel"]).sum() > 0


def test_networks_are_values() -> None:
    first, second = Network(MLP), Network(MLP)
    assert first == second
    assert hash(first) == hash(second)
    assert pickle.loads(pickle.dumps(first)) == first
    assert first != Network({"layers": {"a": "relu"}})
    assert repr(first) == "Network(input -> logits; 4 nodes)"


def test_a_notebook_shows_every_node() -> None:
    shown = Network({"layers": {"a": {"sequential": {"layers": {"b": {"dense": {"features": 4}}}}, "repeat": 2}}})
    html = shown._repr_html_()
    for text in ("<td>a</td>", "sequential × 2", "features=4", "outputs: a = a"):
        assert text in html


def test_a_network_is_built_from_a_graph_too() -> None:
    network = Network(MLP)
    assert Network(network.graph) == network


def test_a_mistake_in_the_declaration_is_told_with_the_given_key() -> None:
    with pytest.raises(ConfigError, match=r"^encoder\.layers\.a: unknown operation"):
        Network({"layers": {"a": "rellu"}}, key="encoder")
