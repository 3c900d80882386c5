"""Networks for sequences, tables and recommendations have as many parameters as published. Nothing is allocated."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from architecture_cases import Published
from sequence_cases import COUNTED, OTHERS, PUBLISHED, REAL_NUMBERS, SMALL
from test_architecture_counts import composed

from framework.core.trees import size

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "configs" / "network"
TOLD = [*PUBLISHED, *COUNTED]


@pytest.mark.parametrize("case", [*TOLD, *OTHERS], ids=lambda case: f"{case.network}-{case.parameters}")
def test_count_is_the_published_one(case: Published) -> None:
    network = composed(case)
    spec = {
        name: jax.ShapeDtypeStruct(shape, jnp.float32 if name in REAL_NUMBERS else jnp.int32)
        for name, shape in case.inputs.items()
    }
    variables = jax.eval_shape(lambda: network.init(jax.random.key(0), spec))
    assert size(variables["params"]) == case.parameters
    assert network.graph.warnings == ()


@pytest.mark.parametrize("case", TOLD, ids=lambda case: f"{case.network}-{case.parameters}")
def test_header_tells_the_count(case: Published) -> None:
    text = (FOLDER / f"{case.network}.yaml").read_text(encoding="utf-8")
    header = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    assert f"{case.parameters:,}" in header
    assert "Source:" in header


def test_the_page_of_architectures_tells_each_count() -> None:
    rows = [
        row for row in (ROOT / "docs" / "architectures.md").read_text(encoding="utf-8").splitlines() if row[:1] == "|"
    ]
    told = {(row.split("`")[1], cell.strip()) for row in rows if "`" in row for cell in row.split("|")}
    assert {(case.network, f"{case.parameters:,}") for case in TOLD} <= told


def test_every_sequence_network_is_trained() -> None:
    covered = {"bert", "gpt2", "llama"}  # in bert_classifier, and by the recipes of language models
    assert {case.network for case in SMALL} | covered == {case.network for case in TOLD}
