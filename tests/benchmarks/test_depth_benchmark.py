"""The benchmark of compile time over depth runs, and its two ways declare the same network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from framework.config.compose import load
from framework.core.trees import size
from framework.train.setup import Setup

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.mark.slow
def test_both_ways_are_measured_at_each_depth(tmp_path: Path) -> None:
    out = tmp_path / "compile.json"
    words = ["--depths", "1", "--unrolled", "1", "--rounds", "1", "--json", str(out)]
    subprocess.run(
        [sys.executable, str(FOLDER / "compile.py"), *words], check=True, capture_output=True, env=os.environ
    )
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert [(row["blocks"], row["depth"], len(row["seconds"])) for row in rows] == [
        ("repeat", 1, 1),
        ("written out", 1, 1),
    ]


def test_both_ways_have_the_same_parameters() -> None:
    recipe = str(FOLDER / "recipes" / "step_transformer.yaml")
    blocks = [
        f"+network.layers.block{i}={{transformer_block: {{heads: 4, causal: true}}, before: norm}}" for i in (0, 1)
    ]
    repeated = Setup(load(recipe, ["network.layers.stack.repeat=2"])).check().state
    written = Setup(load(recipe, ["~network.layers.stack", *blocks])).check().state
    assert size(repeated.params) == size(written.params)
