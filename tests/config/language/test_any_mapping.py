"""Whatever stands in a network section, elaborating it gives a hashable graph or a `ConfigError`, and nothing else."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import yaml

from framework.config.language import elaborate
from framework.core.errors import ConfigError

NETWORK = """
inputs: {x: batch.x}
args: {width: 8, rate: 0.1}
layers:
  stem:  {dense: {features: "=2 * width"}}
  act:   relu
  body:  {block: {features: "=2 * width", rate: "=rate"}, repeat: 2, remat: true}
  side:  {parallel: {layers: {a: {dense: {features: 4}}, b: tanh}, merge: concat}, from: act}
  mixed: {expr: "a * sigmoid(b)", from: {a: body, b: act}}
  mine:  {module: {_target_: package.module.Name, width: "=width"}, after: act}
  again: {share: stem, from: side}
outputs: {y: mixed, z: again}
blocks:
  block:
    args: {features: "???", rate: 0.0}
    layers:
      fc:   {dense: {features: "=features"}}
      drop: {dropout: {rate: "=rate"}}
      out:  {add: {}, from: [drop, input]}
"""
JUNK: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), "", "input", "=x", "=1/0", "=", "???", "relu", "a.b.c", [], {}, [1],
    {"relu": {}}, {"a": 1}, ["a", "b"], {"_target_": ["x"]}, 10**30, "x*", "é", {1: 2}, {"layers": {}}, [None],
    {"expr": "x"}, "={}",
]  # fmt: skip


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from paths(value, (*path, key))


def spoiled(draw: random.Random) -> Any:
    tree = copy.deepcopy(yaml.safe_load(NETWORK))
    for _ in range(draw.choice([1, 1, 2])):
        *outer, last = draw.choice(list(paths(tree)))
        place = tree
        for key in outer:
            place = place[key]
        if draw.random() < 0.2 and isinstance(place, dict):
            del place[last]
        else:
            place[last] = copy.deepcopy(draw.choice(JUNK))
    return tree


def test_only_config_errors_are_raised() -> None:
    hash(elaborate(yaml.safe_load(NETWORK)))
    told = 0
    for seed in range(600):
        try:
            hash(elaborate(spoiled(random.Random(seed))))
        except ConfigError as error:
            assert all(problem.key.startswith("network") for problem in error.problems)
            told += 1
    assert 300 < told < 600
