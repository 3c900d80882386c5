"""Which dimensions of a parameter count copies is told from the graph, and is what the parameters have."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from framework.build.stacks import stacked_axes
from framework.core.trees import named_leaves
from framework.network import Network

DECLARED = {
    "blocks": {
        "pair": {
            "args": {"width": 8},
            "layers": {
                "first": {"dense": {"features": "=width"}, "repeat": 3},
                "rest": {"residual": {"layers": {"inner": {"dense": {"features": "=width"}}}}},
            },
        }
    },
    "layers": {
        "in": {"dense": {"features": 8}},
        "stack": {"pair": {}, "repeat": 2},
        "wide": {"dense": {"features": 12}, "repeat": 2},
        "out": {"dense": {"features": 3}},
    },
}


def test_scanned_copies_are_counted_once_for_each_repeat_around_them() -> None:
    network = Network(DECLARED)
    params = named_leaves(jax.eval_shape(lambda: network.init(jax.random.key(0), jnp.zeros((1, 8))))["params"])
    stacks = stacked_axes(network, params)
    for path, leaf in params.items():
        own = 2 if path.endswith("kernel") else 1
        assert leaf.ndim - own == stacks.get(path, 0), path
    assert stacks["stack.first.kernel"] == 2 and stacks["stack.rest.inner.kernel"] == 1
    assert "in.kernel" not in stacks and "wide_0.kernel" not in stacks


def test_members_of_an_ensemble_are_no_copies_that_a_program_loops_over() -> None:
    dense = {"dense": {"features": 8}}
    members = {"ensemble": {"members": 3, "layers": {"inner": {**dense, "repeat": 2}}}}
    network = Network({"layers": {"apart": members, "stack": {**members, "repeat": 4}}})
    params = named_leaves(jax.eval_shape(lambda: network.init(jax.random.key(0), jnp.zeros((1, 8))))["params"])
    assert params["apart.inner.kernel"].shape == (3, 2, 8, 8)
    assert params["stack.inner.kernel"].shape == (4, 3, 2, 8, 8)
    assert stacked_axes(network, params) == {"stack.inner.kernel": 1, "stack.inner.bias": 1}
