"""Combinators compute what their formulas say."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.network import Network

X = jnp.linspace(-1.0, 1.0, 8).reshape(2, 4)
A, B = jax.nn.relu(X), jnp.tanh(X)


def computed(node: dict[str, Any]) -> jax.Array:
    network = Network({"layers": {"y": node}})
    return network(network.init(jax.random.key(0), X), X)


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        ({}, jnp.concatenate([A, B], axis=-1)),
        ({"merge": "concat", "axis": 1}, jnp.concatenate([A, B], axis=1)),
        ({"merge": "add"}, A + B),
        ({"merge": "multiply"}, A * B),
        ({"merge": "mean"}, (A + B) / 2),
        ({"merge": "stack"}, jnp.stack([A, B], axis=-1)),
        ({"merge": "stack", "axis": 1}, jnp.stack([A, B], axis=1)),
    ],
    ids=["default", "concat", "add", "multiply", "mean", "stack", "stack at 1"],
)
def test_parallel_merges_its_branches(merge: dict[str, Any], expected: jax.Array) -> None:
    got = computed({"parallel": {"layers": {"a": "relu", "b": "tanh"}, **merge}})
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_residual_is_f_of_x_plus_x() -> None:
    np.testing.assert_allclose(
        computed({"residual": {"layers": {"a": "relu", "b": "tanh"}}}), jnp.tanh(A) + X, rtol=1e-6
    )


def test_residual_with_a_shortcut_changes_the_shape() -> None:
    fc = {"dense": {"features": 6}}
    network = Network({"layers": {"r": {"residual": {"layers": {"fc": fc}, "shortcut": fc}}}})
    variables = network.init(jax.random.key(0), X)
    params = variables["params"]["r"]
    expected = X @ (params["fc"]["kernel"] + params["shortcut"]["kernel"])
    np.testing.assert_allclose(network(variables, X), expected, rtol=1e-5, atol=1e-6)


def test_sequential_is_one_after_another() -> None:
    np.testing.assert_allclose(computed({"sequential": {"layers": {"a": "relu", "b": "tanh"}}}), jnp.tanh(A), rtol=1e-6)


def test_repeated_residual_doubles_each_time() -> None:
    np.testing.assert_allclose(computed({"residual": {"layers": {"a": "identity"}}, "repeat": 5}), 32 * X, rtol=1e-6)


def test_combinators_nest() -> None:
    branch = {"sequential": {"layers": {"a": "relu", "r": {"residual": {"layers": {"t": "tanh"}}}}}}
    got = computed({"parallel": {"layers": {"one": branch, "two": "identity"}, "merge": "add"}})
    np.testing.assert_allclose(got, jnp.tanh(A) + A + X, rtol=1e-6)


def test_parameters_are_named_by_the_path_of_their_node() -> None:
    branch = {"sequential": {"layers": {"fc": {"dense": {"features": 2}}}}}
    network = Network({"layers": {"p": {"parallel": {"layers": {"left": branch, "right": branch}}}}})
    params = network.init(jax.random.key(0), X)["params"]
    assert params["p"]["left"]["fc"]["kernel"].shape == params["p"]["right"]["fc"]["kernel"].shape == (4, 2)


def test_several_inputs_by_name() -> None:
    network = Network(
        {
            "layers": {
                "a": "relu",
                "s": {
                    "sequential": {"layers": {"d": {"subtract": {}, "from": ["big", "small"]}}},
                    "from": {"small": "a", "big": "input"},
                },
            }
        }
    )
    np.testing.assert_allclose(network({}, X), X - A)
