"""Combinators that call their layers in another way than once: over time, backwards, beside each other, by phase."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.core.errors import ConfigError
from framework.network import Network

X = jnp.asarray(np.random.default_rng(0).normal(size=(2, 5, 4)), jnp.float32)
DENSE: dict[str, Any] = {"fc": {"dense": {"features": 3}}}


def started(node: dict[str, Any], x: Any = X, **more: Any) -> tuple[Network, dict[str, Any]]:
    """A network of one node, and numbers of the normal law for its variables."""
    network = Network({"layers": {"y": node}, **more})
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), x))
    random = np.random.default_rng(1)
    return network, jax.tree.map(lambda leaf: jnp.asarray(random.normal(size=leaf.shape), leaf.dtype), shapes)


def given(network: Network, variables: Any, x: Any = X, **more: Any) -> Any:
    """The output of a network, by a compiled program."""
    return jax.jit(lambda variables, x: network(variables, x, **more))(variables, x)


def test_bidirectional_reads_from_both_ends() -> None:
    network, variables = started({"bidirectional": {"layers": {"rnn": {"gru": {"features": 3}}}}})
    params = variables["params"]["y"]
    assert set(params) == {"forward", "backward"}
    both = given(network, variables)
    assert both.shape == (2, 5, 6)
    one = Network({"layers": {"rnn": {"gru": {"features": 3}}}})
    back = given(one, {"params": params["backward"]}, X[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(both[..., :3], given(one, {"params": params["forward"]}), 1e-6, 1e-6)
    np.testing.assert_allclose(both[..., 3:], back, 1e-6, 1e-6)


def test_bidirectional_agrees_with_two_recurrent_layers_side_by_side_under_a_mask() -> None:
    mask = jnp.asarray([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    inputs = {"inputs": {"x": "batch.x", "mask": "batch.mask"}}
    wired = {"from": {"x": "x", "mask": "mask"}}
    rnn = {"lstm": {"features": 3, "return_sequences": False}}
    network, variables = started(
        {"bidirectional": {"layers": {"rnn": {**rnn, **wired}}, "merge": "stack", "axis": 1}, **wired},
        {"x": X, "mask": mask},
        **inputs,
    )
    found = given(network, variables, {"x": X, "mask": mask})
    assert found.shape == (2, 2, 3)
    for place, (name, reverse) in enumerate({"forward": False, "backward": True}.items()):
        one = Network({"layers": {"rnn": {"lstm": rnn["lstm"] | {"reverse": reverse}, **wired}}, **inputs})
        alone = given(one, {"params": variables["params"]["y"][name]}, {"x": X, "mask": mask})
        np.testing.assert_allclose(found[:, place], alone, 1e-6, 1e-6)


def test_bidirectional_stacks() -> None:
    node = {"bidirectional": {"layers": {"rnn": {"gru": {"features": 2}}}}, "repeat": 3}
    network, variables = started(node)
    assert variables["params"]["y"]["forward"]["rnn"]["input"]["kernel"].shape == (3, 4, 6)
    assert jax.eval_shape(network, variables, X).shape == (2, 5, 4)


def test_time_distributed_gives_what_each_step_gives_alone() -> None:
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 6, 6, 1)), jnp.float32)
    layers = {"conv": {"conv": {"features": 2, "kernel": 3}}, "pool": "global_avg_pool"}
    network, variables = started({"time_distributed": {"layers": layers}}, x)
    alone = Network({"layers": layers})
    found = given(network, variables, x)
    assert found.shape == (2, 3, 2)
    for step in range(3):
        np.testing.assert_allclose(
            found[:, step], given(alone, {"params": variables["params"]["y"]}, x[:, step]), 1e-5, 1e-6
        )


def test_time_distributed_leaves_padding_out_of_statistics() -> None:
    x = X.at[1].set(1e3)
    network, variables = started({"time_distributed": {"layers": {"norm": "batch_norm"}}}, x)
    mask = jnp.asarray([1.0, 0.0])
    _, updates = jax.jit(lambda variables, x: network.apply(variables, x, train=True, mask=mask))(variables, x)
    expected = 0.99 * np.asarray(variables["batch_stats"]["y"]["norm"]["mean"]) + 0.01 * np.asarray(x[0]).mean(0)
    np.testing.assert_allclose(updates["batch_stats"]["y"]["norm"]["mean"], expected, 1e-5, 1e-6)


def test_costs_of_all_steps_add_up() -> None:
    layers = {"z": {"gaussian_sample": {}, "from": ["input", "input"]}}
    network, variables = started({"time_distributed": {"layers": layers}})
    _, updates = network.apply(variables, X, costs=True)
    whole = Network({"layers": layers}).apply({"params": {}}, X, costs=True)[1]
    np.testing.assert_allclose(updates["costs"]["kl"], whole["costs"]["kl"], 1e-5)


def test_members_of_an_ensemble_have_weights_of_their_own() -> None:
    node = {"ensemble": {"members": 4, "layers": DENSE}}
    network = Network({"layers": {"y": node}})
    variables = network.init(jax.random.key(0), X)
    kernel = variables["params"]["y"]["fc"]["kernel"]
    assert kernel.shape == (4, 4, 3)
    assert len(np.unique(np.asarray(kernel[:, 0, 0]))) == 4
    each = jnp.einsum("bti,mio->bmto", X, kernel)
    np.testing.assert_allclose(network(variables, X), each.mean(1), 1e-5, 1e-6)
    node["ensemble"] |= {"merge": "stack"}
    np.testing.assert_allclose(Network({"layers": {"y": node}})(variables, X), each, 1e-5, 1e-6)


def test_members_draw_different_masks_and_keep_statistics_of_their_own() -> None:
    layers = {
        "fc": {"dense": {"features": 3, "use_bias": False}},
        "norm": "batch_norm",
        "drop": {"dropout": {"rate": 0.5}},
    }
    network, variables = started({"ensemble": {"members": 3, "layers": layers, "merge": "stack"}})
    key = jax.random.key(1, impl="rbg")
    outputs, updates = jax.jit(lambda variables: network.apply(variables, X, train=True, key=key))(variables)
    masks = np.asarray(outputs["y"]) != 0
    assert np.any(masks[:, 0] != masks[:, 1])
    assert updates["batch_stats"]["y"]["norm"]["mean"].shape == (3, 3)


def test_an_ensemble_of_repeated_nodes_stacks_both_ways() -> None:
    layers = {"block": {"transformer_block": {"heads": 2}, "repeat": 2}}
    network, variables = started({"ensemble": {"members": 3, "layers": layers}})
    assert variables["params"]["y"]["block"]["mlp_in"]["kernel"].shape == (3, 2, 4, 16)
    rows = {row.path: row for row in network.check(X)}
    assert rows["y.block"].copies == 6
    assert rows["y"].parameters == sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_cond_takes_one_branch_in_training_and_the_other_otherwise() -> None:
    network, variables = started(
        {"cond": {"train": {"sequential": {"layers": {"a": "relu", "b": "tanh"}}}, "eval": "relu"}}
    )
    np.testing.assert_allclose(given(network, variables, train=True), jnp.tanh(jax.nn.relu(X)), 1e-6)
    np.testing.assert_allclose(network(variables, X), jax.nn.relu(X), 1e-6)


def test_a_branch_that_is_left_out_passes_its_input_on() -> None:
    network, variables = started({"cond": {"train": {"dropout": {"rate": 0.5}}}})
    np.testing.assert_array_equal(network(variables, X), X)
    assert np.any(given(network, variables, train=True, key=jax.random.key(0, impl="rbg")) != X)


def test_both_branches_of_a_cond_have_weights() -> None:
    _, variables = started({"cond": {"train": {"dense": {"features": 3}}, "eval": {"dense": {"features": 3}}}})
    assert set(variables["params"]["y"]) == {"train", "eval"}


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no members": ({"ensemble": {"layers": DENSE}}, "network.layers.y.ensemble.members: 'ensemble' needs the argument"),
    "no count": ({"ensemble": {"layers": DENSE, "members": 0}}, "found 0"),
    "unknown merge": (
        {"ensemble": {"layers": DENSE, "members": 2, "merge": "maen"}},
        "fix:       network.layers.y.ensemble.merge=mean",
    ),
    "axis without stack": ({"ensemble": {"layers": DENSE, "members": 2, "axis": 2}}, "merge 'mean' reads no axis"),
    "stack along the batch": (
        {"ensemble": {"layers": DENSE, "members": 2, "merge": "stack", "axis": 0}},
        "found 0\n  expected:  an integer, and not 0, which is the batch",
    ),
    "misspelt phase": ({"cond": {"trian": "relu"}}, r"'cond' has no argument 'trian' (did you mean 'train'?)"),
    "no branches": ({"cond": {}}, "network.layers.y.cond: there are no branches"),
    "misspelt merge": (
        {"bidirectional": {"layers": DENSE, "merge": "concta"}},
        "fix:       network.layers.y.bidirectional.merge=concat",
    ),
    "merge of steps": ({"time_distributed": {"layers": DENSE, "merge": "mean"}}, "'time_distributed' has no argument"),
    "unknown layer inside": (
        {"time_distributed": {"layers": {"a": "rleu"}}},
        "network.layers.y.time_distributed.layers.a: unknown operation 'rleu' (did you mean 'relu'?)",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(case: str) -> None:
    node, text = MISTAKES[case]
    with pytest.raises(ConfigError) as caught:
        Network({"layers": {"y": node}})
    assert text in str(caught.value)


SHAPES: dict[str, tuple[dict[str, Any], tuple[int, ...], str]] = {
    "time_distributed": (
        {"time_distributed": {"layers": {"a": "relu"}}}, (3,),
        "'time_distributed' cannot take float32[3] from the input 'input'",
    ),
    "bidirectional": (
        {"bidirectional": {"layers": {"a": "relu"}}}, (3,),
        "'bidirectional' cannot take float32[3] from the input 'input'",
    ),
    "cond": (
        {"cond": {"train": {"dense": {"features": 3}}}}, (2, 4),
        "network.layers.y.cond: the branches differ: float32[2, 3] in training and float32[2, 4] otherwise",
    ),
    "ensemble": (
        {"ensemble": {"layers": {"a": "relu"}, "members": 2, "merge": "stack", "axis": 5}}, (2, 4),
        "'ensemble' cannot take float32[2, 4] from the input 'input': axis 5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SHAPES)
def test_a_shape_that_does_not_fit_is_told(case: str) -> None:
    node, shape, text = SHAPES[case]
    with pytest.raises(ConfigError) as caught:
        Network({"layers": {"y": node}}).check(jax.ShapeDtypeStruct(shape, jnp.float32))
    assert text in str(caught.value)
