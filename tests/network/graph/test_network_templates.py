"""The ready-made networks: what their arguments do, in parameter counts and shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import yaml

from framework.core.trees import size
from framework.network import Network

FOLDER = Path(__file__).parents[3] / "configs" / "network"
IMAGES = jax.ShapeDtypeStruct((2, 8, 8, 1), jnp.float32)


def template(name: str, **args: Any) -> Network:
    declared = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    declared["args"] |= {"outputs": 10, **args}
    return Network(declared)


def parameters(network: Network) -> int:
    return size(jax.eval_shape(lambda: network.init(jax.random.key(0), IMAGES))["params"])


def test_mlp_has_its_closed_form() -> None:
    network = template("mlp", width=16, depth=3)
    assert parameters(network) == (64 * 16 + 16) + 2 * (16 * 16 + 16) + (16 * 10 + 10)


def test_cnn_has_its_closed_form() -> None:
    network = template("cnn", width=4, depth=2)
    first = 9 * 4 + 2 * 4 + 9 * 4 * 4 + 2 * 4
    second = 9 * 4 * 8 + 2 * 8 + 9 * 8 * 8 + 2 * 8
    assert parameters(network) == first + second + 8 * 10 + 10


@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_template_gives_logits_and_has_one_traced_dropout(name: str) -> None:
    network = template(name, dropout=0.1, activation="gelu")
    assert network.traced == {"network.args.dropout": 0.1}
    assert network.graph.warnings == ()
    assert network.graph.outputs == (("logits", "logits"),)
    assert [row.output.shape for row in network.check(IMAGES) if row.path == "logits"] == [(2, 10)]
    assert template(name).traced == {}
