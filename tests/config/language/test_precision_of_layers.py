"""`precision` is the `dtype` that one would have written into every layer."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from framework.config.language import Target, elaborate
from framework.config.schema.layers import LAYERS

# DTYPE stands where a layer may say its number format.
NETWORK = """
inputs: {x: batch.image, label: batch.label}
blocks:
  unit:
    args: {features: 8}
    layers:
      conv: {conv: {features: =features, kernel: 3 DTYPE}}
      norm: {batch_norm: {momentum: 0.9 DTYPE}}
      act:  relu
      own:  {conv: {features: =features, kernel: 1, dtype: float32}}
      told: {conv: {features: =features, kernel: 1 DTYPE}}
layers:
  first:    {unit: {features: 8}, from: x}
  stage:    {unit: {features: 8}, repeat: 3}
  around:
    residual:
      layers:   {inner: {conv: {features: 8, kernel: 3 DTYPE}}}
      shortcut: {conv: {features: 8, kernel: 1 DTYPE}}
  beside:   {parallel: {layers: {a: {conv: {features: 4, kernel: 1 DTYPE}}, b: max_pool}, merge: concat}}
  rows:     {reshape: {shape: [4, 16]}}
  both:     {bidirectional: {layers: {rnn: {gru: {features: 8 DTYPE}}}}}
  steps:    {time_distributed: {layers: {fc: {dense: {features: 8 DTYPE}}}}}
  many:     {ensemble: {members: 2, layers: {fc: {dense: {features: 8 DTYPE}}}}}
  phase:    {cond: {train: {dropout: {rate: 0.1}}, eval: identity}}
  again:    {dense: {features: 8 DTYPE}}
  shared:   {dense: {features: 8 DTYPE}, share: again}
  wide:     {cast: {dtype: float32}}
  mine:     {module: {_target_: package.Mine, dtype: null}}
  words:    {embed: {vocabulary: 5, features: 8 DTYPE}, from: label}
  tied:     {unembed: {DTYPE}, share: words, from: words}
  numbers:  {one_hot: {classes: 5 DTYPE}, from: label}
  formula:  {expr: 2 * x, from: mine}
outputs: {mine: formula, tied: tied, numbers: numbers}
"""


def network(dtype: str) -> dict[str, Any]:
    written = NETWORK.replace("{DTYPE}", f"{{{dtype.removeprefix(', ')}}}").replace(" DTYPE", dtype)
    return yaml.safe_load(written)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_graph_is_the_one_with_the_format_written_into_each_layer(precision: str) -> None:
    declared = elaborate(network(""), precision=precision)
    assert declared == elaborate(network(f", dtype: {precision}"))
    assert declared != elaborate(network(""))


def test_without_a_precision_layers_are_as_they_say() -> None:
    assert elaborate(network(""), precision=None) == elaborate(network(""))


def test_a_layers_own_format_wins_and_what_only_converts_or_is_the_users_stays() -> None:
    bodies = {node.path: node.body for node in elaborate(network(""), precision="bfloat16").walk()}
    assert {getattr(bodies[path], "dtype", None) for path in ("first.own", "stage.own", "wide")} == {"float32"}
    assert getattr(bodies["stage.told"], "dtype", None) == "bfloat16"
    assert isinstance(mine := bodies["mine"], Target)
    assert mine.arguments.as_dict() == {"dtype": None}


def test_a_blocks_argument_that_is_null_asks_for_no_format() -> None:
    block = {"args": {"half": None}, "layers": {"fc": {"dense": {"features": 2, "dtype": "=half"}}}}
    graph = elaborate(
        {"layers": {"a": "b", "c": {"b": {"half": "float32"}}}, "blocks": {"b": block}}, precision="bfloat16"
    )
    assert [getattr(node.body, "dtype", None) for node in graph.walk()] == [None, "bfloat16", None, "float32"]


@pytest.mark.parametrize("op", LAYERS)
def test_whatever_has_or_borrows_weights_can_be_told_its_format(op: str) -> None:
    fields = LAYERS[op].model_fields
    if "param_dtype" in fields or LAYERS[op].borrows or any(re.search("(kernel|bias)_init", name) for name in fields):
        assert fields["dtype"].default is None
