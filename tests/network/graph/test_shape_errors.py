"""Shapes that do not fit: told by node, with what it was given and by whom, what was expected, and the fix."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import yaml

from framework.core.errors import ConfigError, Problem
from framework.network import Network

VECTOR = jax.ShapeDtypeStruct((2, 4), jnp.float32)
IMAGE = jax.ShapeDtypeStruct((2, 8, 8, 3), jnp.float32)


def problem(network: str, spec: Any) -> Problem:
    built = Network(yaml.safe_load(network))
    with pytest.raises(ConfigError) as from_init:
        built.init(jax.random.key(0), spec)
    with pytest.raises(ConfigError) as from_check:
        built.check(spec)
    assert from_init.value.problems == from_check.value.problems
    (found,) = from_init.value.problems
    return found


CASES = {
    "add of different sizes": (
        "layers: {a: {dense: {features: 3}}, s: {add: {}, from: [a, input]}}",
        VECTOR,
        "network.layers.s",
        r"'add' cannot take float32\[2, 3\] from network.layers.a \(dense\) and float32\[2, 4\] from the input 'input'",
        "one rank",
    ),
    "concat of different sizes": (
        "layers: {a: global_avg_pool, s: {concat: {}, from: [a, input]}}",
        IMAGE,
        "network.layers.s",
        r"'concat' cannot take float32\[2, 3\] from network.layers.a \(global_avg_pool\)",
        "",
    ),
    "convolution of vectors": (
        "layers: {c: {conv: {features: 8, kernel: 3}}}",
        VECTOR,
        "network.layers.c",
        r"'conv' cannot take float32\[2, 4\] from the input 'input'",
        "",
    ),
    "embedding of real numbers": (
        "layers: {e: {embed: {vocabulary: 10, features: 4}}}",
        VECTOR,
        "network.layers.e",
        r"'embed' cannot take float32\[2, 4\]",
        "integers",
    ),
    "heads that do not divide": (
        "layers: {e: {reshape: {shape: [2, 2]}}, a: {attention: {heads: 3}}}",
        VECTOR,
        "network.layers.a",
        r"'attention' cannot take float32\[2, 2, 2\] from network.layers.e \(reshape\): 2 features",
        "3 heads must divide them",
    ),
    "reshape to another size": (
        "layers: {r: {reshape: {shape: [3]}}}",
        VECTOR,
        "network.layers.r",
        r"'reshape' cannot take float32\[2, 4\]",
        "",
    ),
    "inside a block": (
        "layers: {pre: relu, b: {blk: {}}}\n"
        "blocks: {blk: {layers: {fc: {dense: {features: 3}}, out: {add: {}, from: [fc, input]}}}}",
        VECTOR,
        "network.blocks.blk.layers.out",
        r"float32\[2, 4\] from network.layers.pre \(relu\) \(node b.out\)",
        "one rank",
    ),
    "inside a repeat": (
        "layers: {b: {residual: {layers: {fc: {dense: {features: 3}}}}, repeat: 4}}",
        VECTOR,
        "network.layers.b.residual",
        r"'residual' cannot add float32\[2, 3\] from network.layers.b.residual.layers.fc \(dense\)",
        "a shortcut",
    ),
    "in an expression": (
        "layers: {e: {expr: 'x @ x'}}",
        VECTOR,
        "network.layers.e",
        r"'expr' cannot take float32\[2, 4\]",
        "",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_shape_error_names_node_inputs_and_givers(name: str) -> None:
    network, spec, key, found, expected = CASES[name]
    told = problem(network, spec)
    assert told.key == key
    assert re.search(found, told.found), told.found
    assert re.search(expected, told.expected or ""), told.expected
    assert told.fix


def test_variables_of_another_shape_are_told() -> None:
    network = Network({"layers": {"fc": {"dense": {"features": 3}}}})
    variables = network.init(jax.random.key(0), VECTOR)
    with pytest.raises(ConfigError, match=r"network.layers.fc: the variables do not belong to 'dense'"):
        network(variables, jnp.ones((2, 5)))


def test_variables_of_another_network_are_told() -> None:
    network = Network({"layers": {"fc": {"dense": {"features": 3}}}})
    other = Network({"layers": {"gc": {"dense": {"features": 3}}}}).init(jax.random.key(0), VECTOR)
    with pytest.raises(ConfigError, match=r"network.layers.fc: the variables do not belong to 'dense'"):
        network(other, jnp.ones((2, 4)))


def test_the_error_passes_through_jit_grad_and_vmap() -> None:
    network = Network({"layers": {"a": {"dense": {"features": 3}}, "s": {"add": {}, "from": ["a", "input"]}}})
    with pytest.raises(ConfigError, match="'add' cannot take"):
        jax.jit(jax.vmap(lambda key: network.init(key, VECTOR)))(jax.random.split(jax.random.key(0), 2))
