"""`Network.check`: closed forms of shapes, parameters and operations, without allocating anything."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest
import yaml

from framework.network import Network
from framework.network.graph.operations import operations
from framework.network.graph.table import NodeRow

VECTOR = jax.ShapeDtypeStruct((2, 4), jnp.float32)


def table(network: str, spec: Any = VECTOR) -> dict[str, NodeRow]:
    return {row.path: row for row in Network(yaml.safe_load(network)).check(spec)}


def test_a_dense_layer_has_its_closed_forms() -> None:
    row = table("layers: {fc: {dense: {features: 3}}}")["fc"]
    assert row.inputs[0].shape == (2, 4)
    assert row.output.shape == (2, 3)
    assert row.parameters == 4 * 3 + 3
    assert row.flops == 2 * (2 * 4 * 3) + 2 * 3


def test_a_convolution_has_its_closed_forms() -> None:
    image = jax.ShapeDtypeStruct((2, 8, 8, 4), jnp.float32)
    row = table("layers: {c: {conv: {features: 6, kernel: 3, groups: 2, use_bias: false}}}", image)["c"]
    assert row.output.shape == (2, 8, 8, 6)
    assert row.parameters == 3 * 3 * 2 * 6
    assert row.flops == 2 * (2 * 8 * 8 * 6) * (3 * 3 * 2)


def test_rows_stand_in_order_with_insides_after_their_node() -> None:
    rows = table("layers: {a: relu, b: {residual: {layers: {fc: {dense: {features: 4}}, t: tanh}}}, c: relu}")
    assert [(row.path, row.depth) for row in rows.values()] == [
        ("a", 0),
        ("b", 0),
        ("b.fc", 1),
        ("b.t", 1),
        ("b._merged", 1),
        ("c", 0),
    ]
    assert rows["b"].parameters == rows["b.fc"].parameters == 20
    assert rows["b"].flops == sum(rows[path].flops for path in ("b.fc", "b.t", "b._merged"))


def test_scanned_copies_are_one_row_that_counts_all() -> None:
    one = table("layers: {b: {residual: {layers: {fc: {dense: {features: 4}}}}}}")
    five = table("layers: {b: {residual: {layers: {fc: {dense: {features: 4}}}}, repeat: 5}}")
    assert five["b"].copies == five["b.fc"].copies == 5
    for path in ("b", "b.fc"):
        assert five[path].parameters == 5 * one[path].parameters
        assert five[path].flops == 5 * one[path].flops
        assert five[path].output == one[path].output


def test_unrolled_copies_have_a_row_each() -> None:
    rows = table("layers: {fc: {dense: {features: 3}, repeat: 2}}")
    assert {path: row.parameters for path, row in rows.items()} == {"fc_0": 15, "fc_1": 12}


def test_shared_weights_count_once() -> None:
    rows = table("layers: {a: {dense: {features: 4}}, b: {share: a}}")
    assert (rows["a"].parameters, rows["b"].parameters) == (20, 0)
    assert rows["a"].flops == rows["b"].flops > 0


def test_rows_add_up_to_the_network() -> None:
    text = "layers: {a: {dense: {features: 8}}, n: batch_norm, b: {dense: {features: 3}, repeat: 2}}"
    network = Network(yaml.safe_load(text))
    variables = jax.eval_shape(lambda: network.init(jax.random.key(0), VECTOR))
    rows = network.check(VECTOR)
    assert sum(row.parameters for row in rows) == sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    assert sum(row.flops for row in rows) == operations(lambda v, x: network(v, x), variables, VECTOR)


def test_check_allocates_nothing() -> None:
    huge = jax.ShapeDtypeStruct((2**20, 2**20), jnp.float32)
    (row,) = Network({"layers": {"fc": {"dense": {"features": 2**20}}}}).check(huge)
    assert row.parameters == 2**40 + 2**20
    assert row.flops == 2 * 2**60 + 2**40


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (lambda x: x + 1, 8),
        (lambda x: x.sum(), 8),
        (lambda x: x.reshape(4, 2).T, 0),
        (lambda x: x @ x.T, 2 * 2 * 2 * 4),
        (lambda x: jax.lax.scan(lambda c, _: (c * 2, None), x, length=7)[0], 7 * 8),
        (lambda x: jax.lax.cond(x.sum() > 0, lambda y: y * 2 + 1, lambda y: y, x), 8 + 1 + 16),
        (jax.jit(lambda x: x * x), 8),
    ],
    ids=["add", "sum", "move", "matmul", "scan", "cond", "jit"],
)
def test_operations_of_a_function(function: Any, count: int) -> None:
    assert operations(function, VECTOR) == count
