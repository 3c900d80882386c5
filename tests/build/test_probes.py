"""A `probe` is logged by itself: in training steps, in evaluations, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.build.experiment import Experiment
from framework.config.compose import load
from framework.train.setup import Setup
from framework.train.stages import run

HEAD = """
    defaults:
      - override /data: synthetic
      - override /losses: classification
    data: {examples: 32, features: 4, classes: 3, batch_size: 4}
    trainer: {epochs: 1}
    network:
"""
PLAIN = """
      layers:
        act:    relu
        logits: {dense: {features: 3}}
"""
PROBED = """
      layers:
        act:    relu
        look:   {probe: {label: act}}
        logits: {dense: {features: 3}}
"""
REPEATED = """
      layers:
        tower:  {half: {}, repeat: 2}
        logits: {dense: {features: 3}}
      blocks:
        half:
          layers:
            less: {expr: "x / 2", from: {x: input}}
            look: {probe: {label: less}}
"""
BRANCHES = """
      layers:
        phase:
          cond:
            train: {probe: {label: trained}}
            eval:  {probe: {label: other}}
        logits: {dense: {features: 3}}
"""
X = jnp.asarray([[1.0, -1, 2, -2], [0, 0, 3, 4], [1, 1, 1, 1], [8, 8, 8, 8]])
BATCH = {"features": X, "label": jnp.zeros(4, jnp.int32), "mask": jnp.asarray([1.0, 1, 1, 0])}
REAL = np.maximum(np.asarray(X)[:3], 0)

Make = Callable[[str], Experiment]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The experiment of a network's declaration."""

    def made(network: str) -> Experiment:
        file = tmp_path / "probing.yaml"
        file.write_text(dedent(HEAD + network), encoding="utf-8")
        return Setup(load(str(file))).abstract

    return made


def trained(experiment: Experiment) -> dict[str, Any]:
    return jax.jit(lambda batch: experiment.step(experiment.init(), batch)[1])(BATCH)


def evaluated(experiment: Experiment) -> dict[str, Any]:
    """Over two batches, of which the second is half of padding more."""

    def run(batch: Any) -> Any:
        state, rest = experiment.init(), {**batch, "mask": jnp.asarray([0.0, 1, 0, 0])}
        first = experiment.evaluate(state, batch, experiment.evaluation())
        return experiment.summarise(experiment.evaluate(state, rest, first))

    return jax.jit(run)(BATCH)


def probes(logs: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items() if name.startswith("probe.")}


def test_a_step_logs_the_means_over_real_rows(make: Make) -> None:
    expected = {
        "probe.act_mean": REAL.mean(),
        "probe.act_rms": np.sqrt(np.square(REAL).mean(1)).mean(),
        "probe.act_zeros": 4 / 12,
    }
    assert probes(trained(make(PROBED))) == pytest.approx(expected)


def test_an_evaluation_tells_the_means_over_all_rows(make: Make) -> None:
    experiment = make(PROBED)
    rows = np.stack([*REAL, REAL[1]])
    found = evaluated(experiment)
    assert tuple(found) != () and set(found) == set(experiment.result_names)
    assert probes(found)["probe.act_mean"] == pytest.approx(rows.mean())
    assert probes(found)["probe.act_zeros"] == pytest.approx(6 / 16)


def test_of_the_copies_of_a_repeated_probe_the_mean_is_told(make: Make) -> None:
    real = np.asarray(X)[:3]
    assert probes(trained(make(REPEATED)))["probe.less_mean"] == pytest.approx((real / 2 + real / 4).mean() / 2)


def test_a_probe_of_one_phase_is_told_in_that_phase(make: Make) -> None:
    experiment = make(BRANCHES)
    assert list(probes(trained(experiment))) == ["probe.trained_mean", "probe.trained_rms", "probe.trained_zeros"]
    assert sorted(probes(evaluated(experiment))) == ["probe.other_mean", "probe.other_rms", "probe.other_zeros"]


def test_without_a_probe_nothing_is_told_and_prediction_never_computes_one(make: Make) -> None:
    plain, probed = make(PLAIN), make(PROBED)
    state = jax.eval_shape(plain.init)

    def program(experiment: Experiment) -> str:
        return str(jax.make_jaxpr(experiment.predict)(state, BATCH))

    assert not probes(jax.eval_shape(plain.step, state, BATCH)[1])
    assert not [name for name in plain.result_names if name.startswith("probe.")]
    assert program(probed) == program(plain)


def test_a_run_goes_on_where_a_probe_sees_what_is_infinite(make: Make, tmp_path: Path) -> None:
    infinite = """
      layers:
        scores: {expr: "log(x - x)", from: {x: input}}
        look:   {probe: {label: scores}}
        logits: {dense: {features: 3}, from: input}
"""
    make(infinite)
    overrides = ["trainer.epochs=null", "trainer.steps=2", "report=quiet", f"run.dir='{tmp_path / 'run'}'"]
    run(load(str(tmp_path / "probing.yaml"), [*overrides, "checkpoint=none"]))
    lines = (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    record = next(found for found in map(json.loads, lines) if found["split"] == "train")
    assert record["nonfinite"]["probe.scores_mean"] == "-inf"
    assert record["probe.scores_zeros"] == 0
    assert np.isfinite(record["loss"])
