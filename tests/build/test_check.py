"""Checking a recipe: everything is traced that a run compiles, and nothing of it is left over."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from framework.config.compose import load
from framework.core.errors import ConfigError
from framework.core.trees import named_leaves
from framework.inspect.checking import check
from framework.network import Network
from framework.network.abstract import numbers_matter, shapes_only
from framework.train.setup import Setup

REPEATED = """
    defaults:
      - override /data: synthetic
      - override /losses: classification
    data: {examples: 32, features: 4, classes: 3, batch_size: 8}
    trainer: {epochs: 1}
    network:
      layers:
        body:   {hidden: {}, repeat: 3}
        logits: {dense: {features: "${data.classes}"}}
      blocks:
        hidden:
          layers:
            wide: {dense: {features: 8}}
            drop: {dropout: {rate: 0.5}}
            back: {dense: {features: 4}}
"""


class Counted(nn.Module):
    """Counts how often it is traced."""

    seen = 0

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        type(self).seen += 1
        return x + self.param("bias", nn.initializers.zeros, x.shape[-1:])


class Keeping(nn.Module):
    """Keeps what it sees among the intermediates, which only those who ask for some let it do."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        if not self.is_initializing():
            self.put_variable("intermediates", "seen", x)
        return x


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[str]:
    file = tmp_path / "repeated.yaml"
    file.write_text(dedent(REPEATED), encoding="utf-8")
    yield str(file)


def test_a_network_that_was_checked_starts_and_steps_as_one_that_was_not(recipe: str) -> None:
    checked, fresh = Setup(load(recipe)), Setup(load(recipe))
    checked.check()
    batch = {"features": jnp.ones((8, 4)), "label": jnp.arange(8) % 3}
    states = []
    for experiment in (checked.abstract, fresh.abstract):
        state, _ = jax.jit(experiment.step)(jax.jit(experiment.init)(), batch)
        states.append(named_leaves(state))
    for name, leaf in states[0].items():
        np.testing.assert_array_equal(leaf, states[1][name], err_msg=name)


def test_the_copies_of_a_repeated_node_are_traced_once_where_nothing_is_drawn() -> None:
    network = Network({"layers": {"body": {"module": {"_target_": Counted}, "repeat": 5}}})
    x = jnp.zeros((2, 4))
    variables = network.init(jax.random.key(0), x)

    def traces(train: bool) -> int:
        Counted.seen = 0
        key = jax.random.key(0) if train else None
        jax.eval_shape(lambda inputs: network.apply(variables, inputs, key=key, train=train), x)
        return Counted.seen

    assert traces(train=False) == 1
    assert traces(train=True) == 2
    with shapes_only():
        assert traces(train=True) == 1


def test_what_only_prediction_cannot_do_is_told(recipe: str) -> None:
    overrides = [
        "+network.layers.keep.module._target_=test_check.Keeping",
        "+network.outputs={logits: keep}",
        "+metrics.seen={type: expr, expression: x, inputs: {x: intermediates.body}}",
    ]
    with pytest.raises(ConfigError) as caught:
        Setup(load(recipe, overrides, trust=("test_check",))).check()
    assert "'test_check.Keeping' fails when it is given float32[8, 3]" in str(caught.value)
    assert "intermediates" in str(caught.value)


PAIRS = {
    "too few": (["network.layers.logits.dense.features=2"], "network.layers.logits.dense.features=3"),
    "one for yes or no": (
        ["network.layers.logits.dense.features=1", "losses.cross_entropy.type=bce"],
        "losses.cross_entropy.type=cross_entropy network.layers.logits.dense.features=3",
    ),
    "a metric alone": (
        [
            "+network.layers.other={dense: {features: 1}}",
            "network.outputs={logits: logits, other: other}",
            "+metrics.other={type: accuracy, logits: outputs.other}",
        ],
        "network.layers.other.dense.features=3",
    ),
}


@pytest.mark.parametrize(("mistake", "fix"), PAIRS.values(), ids=list(PAIRS))
def test_labels_without_a_logit_are_told_with_what_mends_it(recipe: str, mistake: list[str], fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Setup(load(recipe, mistake)).check()
    (problem,) = caught.value.problems
    assert problem.found.endswith("but the data has 3 classes")
    assert "batch.label, numbers from 0 to 2" in str(problem.expected)
    assert problem.origin is not None
    assert problem.fix == fix
    Setup(load(recipe, [*mistake, *fix.split()])).check()


def test_logits_of_no_class_are_a_warning(recipe: str) -> None:
    (warning,) = check(load(recipe, ["network.layers.logits.dense.features=9"])).warnings
    assert warning.startswith("network.layers.logits.dense.features: outputs.logits has 9 logits, but the data has 3")
    assert "override network.layers.logits.dense.features=9" in warning


def test_an_embedding_that_lacks_a_token_is_told_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Setup(load("gpt2_small", ["network.args.vocabulary=100", "network.args.depth=1"])).check()
    (problem,) = caught.value.problems
    assert problem.key == "network.layers.embed.embed.vocabulary"
    assert problem.found == "'embed' has vectors for 100 tokens, but the data has 50257"
    assert problem.fix == "network.args.vocabulary=50257"


def test_more_tokens_than_the_data_has_are_no_mistake() -> None:
    padded = ["network.args.vocabulary=50304", "network.args.depth=1"]
    assert not check(load("gpt2_small", padded)).warnings


def test_the_collector_of_garbage_is_as_before() -> None:
    def left() -> bool:
        with pytest.raises(ValueError, match="within"), shapes_only():
            assert not gc.isenabled()
            assert not numbers_matter()
            raise ValueError("within")
        return gc.isenabled()

    assert left()
    assert numbers_matter()
    gc.disable()
    try:
        assert not left()
    finally:
        gc.enable()
