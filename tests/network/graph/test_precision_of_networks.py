"""A network's precision decides what it computes in, and neither what it keeps nor where."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.core.trees import named_leaves
from framework.network import Network

BODY: dict[str, Any] = {"fc": {"dense": {"features": 4}}, "norm": "batch_norm", "act": "gelu"}
LAYERS: dict[str, Any] = {
    "body": {"b": {}, "repeat": 3},
    "skip": {"residual": {"layers": {"fc": {"dense": {"features": 4}}}}},
    "logits": {"dense": {"features": 2}},
}
X = jnp.linspace(-1.0, 1.0, 8).reshape(2, 4)


def network(precision: str | None) -> Network:
    return Network({"layers": LAYERS, "blocks": {"b": {"layers": BODY}}}, precision=precision)


@pytest.mark.parametrize("precision", [None, "float32", "bfloat16"])
def test_variables_stand_in_one_place_and_in_float32_whatever_the_precision(precision: str | None) -> None:
    variables = jax.eval_shape(lambda: network(precision).init(jax.random.key(0), X))
    found = {name: (leaf.shape, leaf.dtype.name) for name, leaf in named_leaves(variables).items()}
    assert found["params.body.fc.kernel"] == ((3, 4, 4), "float32")
    assert found["batch_stats.body.norm.mean"] == ((3, 4), "float32")
    assert {dtype for _, dtype in found.values()} == {"float32"}


def test_bfloat16_is_what_each_node_gives_and_float32_what_gradients_are() -> None:
    net = network("bfloat16")
    rows = net.check(jax.ShapeDtypeStruct(X.shape, X.dtype))
    assert {row.path: row.output.dtype.name for row in rows} == {row.path: "bfloat16" for row in rows}
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), X))

    def loss(params: Any, kept: Any) -> Any:
        outputs, updates = net.apply({**kept, "params": params}, X, train=True)
        return outputs["logits"].astype(jnp.float32).sum(), updates

    gradients, updates = jax.eval_shape(
        jax.grad(loss, has_aux=True), variables["params"], {"batch_stats": variables["batch_stats"]}
    )
    assert {leaf.dtype.name for leaf in jax.tree.leaves((gradients, updates))} == {"float32"}


def test_bfloat16_computes_nearly_what_float32_computes() -> None:
    shapes = jax.eval_shape(lambda: network(None).init(jax.random.key(1), X))
    variables = jax.tree.map(lambda leaf: np.linspace(0.1, 0.5, leaf.size, dtype="f4").reshape(leaf.shape), shapes)
    wide, narrow = (jax.jit(network(precision))(variables, X) for precision in (None, "bfloat16"))
    assert (wide.dtype, narrow.dtype) == (jnp.float32, jnp.bfloat16)
    np.testing.assert_allclose(np.asarray(narrow, np.float32), wide, rtol=0.02)


def test_a_graph_is_taken_as_it_is() -> None:
    assert Network(network(None).graph, precision="bfloat16") == network(None)
