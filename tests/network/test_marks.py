"""The words of a node reach the parameters inside of it, by the names that they have."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml

from framework.core.errors import ConfigError
from framework.core.trees import named_leaves
from framework.network import Network
from framework.network.marks import frozen, penalties, total_penalty


def made(text: str) -> tuple[Network, dict[str, Any]]:
    network = Network(yaml.safe_load(text))
    variables = jax.eval_shape(lambda: network.init(jax.random.key(0), jax.ShapeDtypeStruct((2, 6), jnp.float32)))
    return network, named_leaves(variables["params"])


def test_a_frozen_block_freezes_all_that_is_inside_and_nothing_of_a_like_name() -> None:
    network, params = made("""
    layers:
      block: {sequential: {layers: {fc: {dense: {features: 4}}, norm: layer_norm}}, freeze: true}
      block_1: {dense: {features: 4}}
      wide: {dense: {features: 5}, repeat: 2, freeze: true}
      tower: {residual: {layers: {fc: {dense: {features: 5}, freeze: true}, out: {dense: {features: 5}}}}, repeat: 3}
    """)
    found = frozen(network.graph, params)
    assert found == {name for name in params if not name.startswith(("block_1.", "tower.out."))}
    assert {"block.fc.kernel", "wide_0.kernel", "wide_1.bias", "tower.fc.kernel"} <= found


def test_the_innermost_regularizer_counts() -> None:
    network, params = made("""
    args: {decay: 0.5}
    layers:
      body:
        sequential:
          layers:
            one: {dense: {features: 4}}
            two: {dense: {features: 4}, kernel_regularizer: {l1: 2}}
        kernel_regularizer: {l2: "=decay"}
      out: {dense: {features: 1}}
    """)
    terms = penalties(network.graph, params)
    assert [(term.path, term.kind, term.key, term.weight) for term in terms] == [
        ("body.one.kernel", "l2", "network.args.decay", 0.5),
        ("body.two.kernel", "l1", "network.layers.body.sequential.layers.two.kernel_regularizer.l1", 2.0),
    ]
    assert network.traced == {term.key: term.weight for term in terms}
    arrays = {"body.one.kernel": jnp.full((2, 2), -3.0), "body.two.kernel": jnp.full((2,), -3.0)}
    np.testing.assert_allclose(total_penalty(terms, arrays, {}), 0.5 * 4 * 9 + 2 * 2 * 3)
    np.testing.assert_allclose(total_penalty(terms, arrays, {"network.args.decay": 1.0}), 4 * 9 + 2 * 2 * 3)


def test_a_regularizer_of_zero_is_none() -> None:
    network, _ = made("layers: {fc: {dense: {features: 4}, kernel_regularizer: {l2: 0.0}}}")
    assert not network.regularized
    assert network.traced == {}


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ("{share: fc, freeze: true}", "'b' has no parameters of its own: it shares those of 'fc'"),
        ("{relu: {}, freeze: true}", "'b' has no parameters of its own"),
    ],
)
def test_freezing_what_has_no_parameters_is_refused(node: str, told: str) -> None:
    network, params = made(f"layers: {{fc: {{dense: {{features: 6}}}}, b: {node}}}")
    with pytest.raises(ConfigError, match=told):
        frozen(network.graph, params)


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ("{dense: {features: 4}, kernel_regularizer: 0.1}", "expected:  any of l1, l2 with a weight"),
        ("{dense: {features: 4}, kernel_regularizer: {l3: 1}}", "there is no regulariser 'l3'"),
        ("{dense: {features: 4}, kernel_regularizer: {l2: -1}}", "a number of at least 0"),
        ("{dense: {features: 4}, freeze: 1}", "true or false"),
        ("{dense: {features: 4, freeze: true}}", r"~network.layers.fc.dense.freeze \+network.layers.fc.freeze=true"),
    ],
)
def test_a_wrong_word_is_told(node: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        made(f"layers: {{fc: {node}}}")
