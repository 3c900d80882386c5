"""Losses and metrics by `_target_`: what they compute, and what is told where they do not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import framework as fw
from framework.config.compose import load, load_file
from framework.core.errors import ConfigError
from framework.inspect.ejecting.ejected import ejected
from framework.train.setup import Setup

RECIPE = """\
defaults:
  - override /data: iris
data: {batch_size: 10, normalize: none}
network: {layers: {logits: {dense: {features: 3}}}}
losses:
  main: {_target_: test_own_components.power, exponent: 2.0, weight: 0.5}
metrics:
  top: {_target_: test_own_components.top}
trainer: {steps: 2, epochs: null}
"""
MAIN, TOP = "losses.main._target_=test_own_components.", "metrics.top._target_=test_own_components."


def power(outputs: Any, batch: Any, *, exponent: float = 1.0) -> jax.Array:
    """A loss of each example."""
    return jnp.abs(outputs["logits"] - batch["label"][:, None]).sum(-1) ** exponent


def top(outputs: Any, batch: Any) -> jax.Array:
    """A metric of each example."""
    return outputs["logits"].max(-1)


def weighted(outputs: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
    """A metric of each example, and its weight."""
    return outputs["logits"].max(-1), batch["label"] + 1


class Share:
    """A metric whose states are counts."""

    higher_is_better = True

    def __init__(self, label: int) -> None:
        self.label = label

    def init(self) -> Any:
        return jnp.zeros((2,), jnp.int32)

    def measure(self, outputs: Any, batch: Any, mask: Any) -> Any:
        return jnp.stack([((batch["label"] == self.label) & (mask > 0)).sum(), (mask > 0).sum()]).astype(jnp.int32)

    def compute(self, state: Any) -> Any:
        return state[0] / state[1]


class Halved(Share):
    """A metric whose states change their type."""

    def measure(self, outputs: Any, batch: Any, mask: Any) -> Any:
        return super().measure(outputs, batch, mask) / 2


class Empty:
    """No metric."""


def apart(logits: Any, labels: Any) -> jax.Array:
    """A loss of wired arrays."""
    return (logits.mean(-1) - labels) ** 2


def meant(outputs: Any, batch: Any) -> jax.Array:
    return outputs["logits"].mean()


def misread(outputs: Any, batch: Any) -> jax.Array:
    return outputs["logit"].mean(-1)


def branched(outputs: Any, batch: Any) -> jax.Array:
    return outputs["logits"][:, 0] if outputs["logits"].sum() > 0 else outputs["logits"][:, 1]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("own") / "mine.yaml"
    path.write_text(RECIPE)
    return str(path)


def loaded(recipe: str, *words: str) -> Any:
    return load(recipe, words, trust=("test_own_components", "optax"))


@pytest.fixture(scope="module")
def results(recipe: str) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """The results over a padded batch of ten with three real rows, and the logits and labels of these."""
    wires = "inputs: {logits: outputs.logits, labels: batch.label}"
    words = (
        f"+losses.wired={{_target_: test_own_components.apart, {wires}}}",
        f"+losses.library={{_target_: optax.losses.softmax_cross_entropy_with_integer_labels, {wires}}}",
        "+metrics.weighted={_target_: test_own_components.weighted}",
        "+metrics.share={_target_: test_own_components.Share, label: 1}",
    )
    experiment = Setup(loaded(recipe, *words)).abstract
    rows = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    mask = np.r_[np.ones(3), np.zeros(7)].astype(np.float32)
    batch = {"features": rows, "label": np.arange(10, dtype=np.int32) % 3, "mask": mask}

    @jax.jit
    def compute(batch: Any) -> Any:
        state = experiment.init()
        evaluation, outputs = experiment.evaluate_and_predict(state, batch, experiment.evaluation())
        return experiment.summarise(evaluation), outputs["logits"]

    found, logits = compute(batch)
    return {name: float(value) for name, value in found.items()}, np.asarray(logits)[:3], batch["label"][:3]


def test_the_loss_and_the_metric_of_a_function_are_means_over_real_rows(results: Any) -> None:
    found, logits, labels = results
    assert found["main"] == pytest.approx((np.abs(logits - labels[:, None]).sum(-1) ** 2).mean(), rel=1e-5)
    assert found["top"] == pytest.approx(logits.max(-1).mean(), rel=1e-5)


def test_the_sum_that_is_minimised_has_the_weight_of_each_loss(results: Any) -> None:
    found, _, _ = results
    assert found["loss"] == pytest.approx(0.5 * found["main"] + found["wired"] + found["library"], rel=1e-5)


def test_a_metric_may_weigh_its_values_and_a_class_may_merge_its_states(results: Any) -> None:
    found, logits, labels = results
    assert found["weighted"] == pytest.approx((logits.max(-1) * (labels + 1)).sum() / (labels + 1).sum(), rel=1e-5)
    assert found["share"] == pytest.approx(1 / 3)


def test_wired_arrays_are_passed_by_name_also_to_another_library(results: Any) -> None:
    found, logits, labels = results
    assert found["wired"] == pytest.approx(((logits.mean(-1) - labels) ** 2).mean(), rel=1e-5)
    shares = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    assert found["library"] == pytest.approx(-shares[np.arange(3), labels].mean(), rel=1e-5)


WRONG: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "argument": (
        ("+losses.main.exponnt=2",),
        ("losses.main.exponnt: test_own_components.power has no argument", "+losses.main.exponent=2"),
    ),
    "needed": (
        (f"{TOP}Share",),
        ("metrics.top.label: test_own_components.Share needs the argument 'label'", "+metrics.top.label="),
    ),
    "name": ((f"{MAIN}powr",), ("losses.main._target_: 'test_own_components.powr' cannot be imported",)),
    "mean": (
        (f"{MAIN}meant", "~losses.main.exponent"),
        ("losses.main: test_own_components.meant gives []", "one number for each of 10 examples", "before their mean"),
    ),
    "key": (
        (f"{TOP}misread",),
        (
            "metrics.top: test_own_components.misread fails: KeyError: 'logit' (test_own_components.py, line ",
            "'logits'",
        ),
    ),
    "branch": (
        (f"{MAIN}branched", "~losses.main.exponent"),
        (
            "losses.main: test_own_components.branched fails",
            "outputs.logits float32[10, 3]",
            "jnp.where in place of if",
        ),
    ),
    "methods": ((f"{TOP}Empty",), ("metrics.top._target_: test_own_components.Empty has no method 'init'", "measure(")),
    "state": (
        (f"{TOP}Halved", "+metrics.top.label=1"),
        ("metrics.top: test_own_components.Halved.measure gives float32[2]", "int32[2], as init() does"),
    ),
    "both": (("+losses.main.type=mse",), ("losses.main.type: found 'mse' beside _target_",)),
    "wire": (("+losses.main.inputs={a: outputs.logit}",), ("nothing is called 'outputs.logit'", "outputs.logits")),
    "weight": (("losses.main.weight=much",), ("losses.main.weight: found 'much', text",)),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_check_tells_what_is_wrong_with_code_of_ones_own(recipe: str, case: str) -> None:
    words, parts = WRONG[case]
    with pytest.raises(ConfigError, match=r"(.|\n)*".join(map(re.escape, parts))):
        Setup(loaded(recipe, *words)).check()


def test_code_is_imported_only_where_it_is_trusted_also_out_of_a_run(recipe: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"losses.main._target_: 'test_own_components.power' is not trusted"):
        load(recipe)
    from framework.config.compose import dump

    again = tmp_path / "config.yaml"
    again.write_text(dump(loaded(recipe).config.model_dump(mode="json")))
    with pytest.raises(ConfigError, match=r"'test_own_components\.power' is not trusted"):
        load_file(again)
    assert load_file(again, trust=("test_own_components",)).config == loaded(recipe).config


def test_the_weight_is_traced_and_nothing_is_kept_as_a_known_program(recipe: str) -> None:
    setup = Setup(loaded(recipe))
    assert setup.abstract.hyper["losses.main.weight"] == 0.5
    assert setup.known is None


def test_a_script_does_not_copy_a_loss(recipe: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"losses.main: test_own_components.power is code of yours"):
        ejected(loaded(recipe, "data.last_batch=drop"), tmp_path / "train.py")


def test_the_face_trusts_what_it_is_told_to(recipe: str) -> None:
    assert fw.load(recipe, trust=["test_own_components"]).config.metrics["top"].type == "_target_"
