"""`share`: one set of weights for several nodes, and tied output layers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.core.errors import ConfigError
from framework.core.trees import size
from framework.network import Network

X = jnp.linspace(-1.0, 1.0, 8).reshape(2, 4)


def test_siamese_towers_have_one_set_of_weights() -> None:
    network = Network(
        {
            "inputs": {"left": "batch.left", "right": "batch.right"},
            "layers": {
                "a": {"tower": {}, "from": "left"},
                "b": {"share": "a", "from": "right"},
                "distance": {"expr": "sum((a - b) ** 2, axis=-1)", "from": ["a", "b"]},
            },
            "blocks": {"tower": {"layers": {"fc": {"dense": {"features": 3}}, "norm": "layer_norm"}}},
        }
    )
    variables = network.init(jax.random.key(0), {"left": X, "right": X})
    assert set(variables["params"]) == {"a"}
    np.testing.assert_array_equal(network(variables, {"left": X, "right": X}), [0.0, 0.0])
    assert (network(variables, {"left": X, "right": -X}) > 0).all()


def test_gradients_of_both_uses_add_up() -> None:
    network = Network({"layers": {"a": {"dense": {"features": 4, "use_bias": False}}, "b": {"share": "a"}}})
    variables = network.init(jax.random.key(0), X)
    kernel = variables["params"]["a"]["kernel"]
    expected = jax.grad(lambda w: ((X @ w) @ w).sum())(kernel)
    gradient = jax.grad(lambda v: network(v, X).sum())(variables)
    np.testing.assert_allclose(gradient["params"]["a"]["kernel"], expected, rtol=1e-5, atol=1e-6)


def test_a_repeated_node_is_shared_with_all_its_copies() -> None:
    network = Network({"layers": {"a": {"dense": {"features": 4}, "repeat": 3}, "b": {"share": "a"}}})
    variables = network.init(jax.random.key(0), X)
    alone = Network({"layers": {"a": {"dense": {"features": 4}, "repeat": 3}}})
    assert set(variables["params"]) == {"a"}
    np.testing.assert_allclose(network(variables, X), alone(variables, alone(variables, X)), rtol=1e-5, atol=1e-6)


def test_unrolled_copies_are_shared_too() -> None:
    layers = {"a": {"dense": {"features": 3}, "repeat": 2}, "b": {"share": "a", "from": "input"}}
    network = Network({"layers": layers | {"d": {"subtract": {}, "from": ["a", "b"]}}})
    variables = network.init(jax.random.key(0), X)
    assert set(variables["params"]) == {"a_0", "a_1"}
    np.testing.assert_array_equal(network(variables, X), jnp.zeros((2, 3)))


def test_statistics_are_shared_with_the_weights() -> None:
    network = Network({"layers": {"a": "batch_norm", "b": {"share": "a"}}})
    variables = network.init(jax.random.key(0), X)
    assert set(variables["batch_stats"]) == {"a"}
    _, updates = network.apply(variables, X, train=True)
    assert set(updates["batch_stats"]) == {"a"}


def test_a_tied_output_layer_uses_the_embedding() -> None:
    tokens = jnp.array([[1, 4, 2]])
    network = Network(
        {
            "layers": {
                "embed": {"embed": {"vocabulary": 7, "features": 4}},
                "logits": {"expr": "x @ embedding.T", "share": "embed"},
            }
        }
    )
    variables = network.init(jax.random.key(0), tokens)
    assert size(variables) == 7 * 4
    table = variables["params"]["embed"]["embedding"]
    np.testing.assert_allclose(network(variables, tokens), table[tokens] @ table.T, rtol=1e-5)


def test_a_parameter_that_the_owner_does_not_have_is_told() -> None:
    network = Network({"layers": {"a": {"dense": {"features": 4}}, "b": {"expr": "x @ kernl.T", "share": "a"}}})
    with pytest.raises(
        ConfigError, match=r"network.layers.b.expr: 'kernl' is no input and no parameter of 'a'"
    ) as raised:
        network.init(jax.random.key(0), X)
    assert raised.value.problems[0].fix == "write kernel"


def test_probes_of_shared_bodies_are_kept_apart() -> None:
    network = Network(
        {
            "layers": {"a": "tower", "b": {"share": "a"}},
            "blocks": {"tower": {"layers": {"fc": {"dense": {"features": 4}}, "act": "tanh"}}},
        }
    )
    variables = network.init(jax.random.key(0), X)
    _, updates = network.apply(variables, X, probes=("a.fc", "b.fc"))
    probed = updates["intermediates"]
    assert not jnp.array_equal(probed["a"]["fc"], probed["b"]["fc"])


def tied(**words: object) -> Network:
    embed = {"embed": {"vocabulary": 6, "features": 4}}
    return Network({"layers": {"embed": embed, "norm": "layer_norm", "logits": {"unembed": {}, **words}}})


def test_unembed_scores_by_the_vectors_of_the_embedding() -> None:
    tokens = jnp.array([[1, 4, 2]])
    network = tied(share="embed")
    variables = network.init(jax.random.key(0), tokens)
    assert size(variables["params"]) == 6 * 4 + 2 * 4
    table = variables["params"]["embed"]["embedding"]
    rows = table[tokens]
    normed = (rows - rows.mean(-1, keepdims=True)) / jnp.sqrt(rows.var(-1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(network(variables, tokens), normed @ table.T, rtol=1e-5, atol=1e-6)


def test_unembed_needs_to_know_whose_weights_it_reads() -> None:
    with pytest.raises(ConfigError, match="'unembed' reads the weights of another node, and none is named") as caught:
        tied()
    assert caught.value.problems[0].fix == "+network.layers.logits.share=embed"


def test_unembed_reads_an_embedding_alone() -> None:
    tokens = jnp.array([[1, 4, 2]])
    with pytest.raises(ConfigError, match="'norm' has no 'embedding', which 'unembed' reads"):
        tied(share="norm").init(jax.random.key(0), tokens)


def test_what_borrows_its_weights_has_none_to_share() -> None:
    layers = {
        "embed": {"embed": {"vocabulary": 6, "features": 4}},
        "logits": {"unembed": {}, "share": "embed"},
        "more": {"share": "logits"},
    }
    with pytest.raises(ConfigError, match="'logits' is 'unembed', which has no weights"):
        Network({"layers": layers})
