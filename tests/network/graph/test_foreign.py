"""`module`: Flax Linen, Flax NNX, pure pairs and plain functions as nodes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import user_modules
from flax import linen as nn

from framework.core.errors import ConfigError
from framework.network import Network

X = jnp.linspace(-1.0, 1.0, 8).reshape(2, 4)
HERE = "user_modules"


def one(target: Any, *, words: dict[str, Any] | None = None, **arguments: Any) -> Network:
    name = f"{HERE}.{target}" if isinstance(target, str) else target
    return Network({"layers": {"m": {"module": {"_target_": name, **arguments}, **(words or {})}}})


def test_linen_parameters_stand_under_the_node() -> None:
    network = one("LinenNorm", features=3)
    variables = network.init(jax.random.key(0), X)
    assert variables["params"]["m"]["Dense_0"]["kernel"].shape == (4, 3)
    alone = user_modules.LinenNorm(3)
    own = {collection: tree["m"] for collection, tree in variables.items()}
    np.testing.assert_allclose(network(variables, X), alone.apply(own, X), rtol=1e-6)


def test_linen_learns_whether_it_trains() -> None:
    network = one("LinenNorm", features=64)
    variables = network.init(jax.random.key(0), X)
    outputs, updates = network.apply(variables, X, key=jax.random.key(1), train=True)
    assert set(updates) == {"batch_stats"}
    assert 0.3 < float((outputs["m"] == 0).mean()) < 0.7
    assert float((network(variables, X) == 0).mean()) < 0.1


def test_linen_may_draw_from_a_stream_of_its_own() -> None:
    network = one("LinenNoise")
    np.testing.assert_array_equal(network({}, X), X)
    assert not jnp.array_equal(network({}, X, key=jax.random.key(0), train=True), X)


def test_nnx_agrees_with_itself_outside_of_the_graph() -> None:
    network = one("NnxNorm", inputs=4, features=3)
    variables = network.init(jax.random.key(0), X)
    params = variables["params"]["m"]
    hidden = X @ params["fc"]["kernel"] + params["fc"]["bias"]
    np.testing.assert_allclose(network(variables, X), hidden / np.sqrt(1 + 1e-5), rtol=1e-5)


def test_nnx_statistics_and_dropout_follow_training() -> None:
    network = one("NnxNorm", inputs=4, features=64)
    variables = network.init(jax.random.key(0), X)
    outputs, updates = network.apply(variables, X, key=jax.random.key(1), train=True)
    assert set(updates) == {"batch_stats"}
    assert not jnp.array_equal(updates["batch_stats"]["m"]["norm"]["mean"], jnp.zeros(64))
    assert 0.3 < float((outputs["m"] == 0).mean()) < 0.7
    assert jnp.array_equal(network(variables, X), network(variables, X))


def test_nnx_without_random_numbers() -> None:
    network = one("NnxScale", factor=3.0)
    np.testing.assert_allclose(network(network.init(jax.random.key(0), X), X), 3 * X)


def test_copies_of_user_modules_are_scanned() -> None:
    for target, arguments in (("NnxNorm", {"inputs": 4, "features": 4}), ("affine", {"features": 4})):
        network = one(target, words={"repeat": 3}, **arguments)
        leaves = jax.tree.leaves(network.init(jax.random.key(0), X)["params"]["m"])
        assert {leaf.shape[0] for leaf in leaves} == {3}
        assert not jnp.array_equal(*max(leaves, key=lambda leaf: leaf.ndim)[:2])


def test_a_pure_pair_is_initialised_and_applied() -> None:
    network = one("affine", features=3)
    variables = network.init(jax.random.key(0), X)
    params = variables["params"]["m"]["pair"]
    np.testing.assert_allclose(network(variables, X), X @ params["w"] + params["b"], rtol=1e-6)
    gradient = jax.grad(lambda v: network(v, X).sum())(variables)
    np.testing.assert_allclose(gradient["params"]["m"]["pair"]["b"], [2.0, 2.0, 2.0])


def test_an_object_with_init_and_apply_is_a_pair() -> None:
    network = one("Scale", start=2.0)
    variables = network.init(jax.random.key(0), X)
    assert variables["params"]["m"]["pair"].shape == (4,)
    np.testing.assert_allclose(network(variables, X), 2 * X)


def test_a_plain_function_is_bound_to_its_arguments() -> None:
    network = one("shift", _partial_=True, by=2.5)
    np.testing.assert_allclose(network({}, X), X + 2.5)


def test_python_may_give_the_class_or_the_module_itself() -> None:
    by_class = one(user_modules.LinenNorm, features=3)
    by_instance = Network({"layers": {"m": {"module": user_modules.LinenNorm(3)}}})
    key = jax.random.key(0)
    left, right = by_class.init(key, X), by_instance.init(key, X)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, left, right))
    as_pair = Network({"layers": {"m": {"module": user_modules.affine(3)}}})
    assert as_pair.init(key, X)["params"]["m"]["pair"]["w"].shape == (4, 3)
    as_function = Network({"layers": {"m": {"module": jnp.square}}})
    np.testing.assert_allclose(as_function({}, X), X**2)


def test_named_inputs_and_outputs() -> None:
    network = Network(
        {
            "layers": {
                "a": {"expr": "2 * x"},
                "m": {"module": {"_target_": f"{HERE}.LinenPair"}, "from": {"query": "a", "memory": "input"}},
                "y": {"multiply": {}, "from": ["m.sum", "m.difference"]},
            }
        }
    )
    np.testing.assert_allclose(network(network.init(jax.random.key(0), X), X), 3 * X * X, rtol=1e-6)


def test_an_output_that_a_module_does_not_give_is_told() -> None:
    network = Network(
        {
            "layers": {
                "m": {"module": {"_target_": f"{HERE}.LinenPair"}, "from": {"query": "input", "memory": "input"}},
                "y": {"relu": {}, "from": "m.product"},
            }
        }
    )
    with pytest.raises(
        ConfigError, match=r"network.layers.y.from: 'm' gives \{.*difference: float32.*none of them is 'product'"
    ):
        network.init(jax.random.key(0), X)


def test_a_bug_in_a_user_module_keeps_its_traceback() -> None:
    with pytest.raises(
        ConfigError, match=r"network.layers.m: '.*Broken' fails when it is given float32\[2, 4\]"
    ) as raised:
        one("Broken").init(jax.random.key(0), X)
    assert isinstance(raised.value.__cause__, AttributeError)


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (one("Missing"), r"module._target_: '.*Missing' cannot be imported"),
        (one("LinenNorm", width=3), r"(?s)module: .*LinenNorm cannot be made: TypeError.*arguments: \(features"),
        (one("number"), r"(?s)module: .*number gives int.*a pair \(init, apply\)"),
        (one("NnxNorm", inputs=5, features=3), r"NnxNorm' fails when it is given float32\[2, 4\] from the input"),
    ],
    ids=["unknown", "wrong arguments", "wrong kind", "wrong shape"],
)
def test_a_module_that_cannot_be_used_is_told(network: Network, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        network.init(jax.random.key(0), X)


def test_a_linen_module_may_hold_another() -> None:
    network = one(nn.Sequential, layers=(nn.Dense(5), nn.relu, nn.Dense(3)))
    variables = network.init(jax.random.key(0), X)
    assert network(variables, X).shape == (2, 3)
