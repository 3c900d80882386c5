"""`trainer.precision=bfloat16` trains, evaluates, predicts and resumes like any other recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from framework.checkpoint import Checkpoints
from framework.config.compose import load
from framework.config.signature import signature
from framework.train.loop import Loop
from framework.train.progress import Progress
from framework.train.runner import Runner
from framework.train.setup import Setup

SMALL = [
    "network.layers.hidden1.dense.features=16",
    "network.layers.hidden2.dense.features=16",
    "trainer.epochs=null",
    "trainer.steps=60",
    "checkpoint.monitor=null",
]
BY_HAND = [f"+network.layers.{name}.dense.dtype=bfloat16" for name in ("hidden1", "hidden2", "logits")]


@pytest.fixture(scope="module")
def setup() -> Setup:
    return Setup(load("digits_mlp", [*SMALL, "trainer.precision=bfloat16"]))


def text(setup: Setup) -> str:
    """The step's program as StableHLO."""
    experiment = setup.experiment
    batch = experiment.example_batch(8)
    return jax.jit(experiment.step).lower(jax.eval_shape(experiment.init), batch, experiment.hyper).as_text()


def after(setup: Setup, state: Any, step: int, piece: int) -> Any:
    """The state some steps later, with a runner of its own, as after a restart."""
    runner = Runner(setup.experiment, setup.dataset, setup.strategy)
    ahead = replace(setup.experiment, total_steps=step + piece)
    try:
        return Loop(ahead, runner, None, state, Progress(), [], None, step).run()
    finally:
        runner.close()


def test_the_program_is_the_one_of_formats_written_by_hand_and_no_sweep_mixes_it_with_another(setup: Setup) -> None:
    by_hand = Setup(load("digits_mlp", [*SMALL, *BY_HAND]))
    assert setup.experiment.network == by_hand.experiment.network
    assert text(setup) == text(by_hand)
    configs = [load("digits_mlp", [*SMALL, f"trainer.precision={word}"]).config for word in ("null", "bfloat16")]
    assert len({signature(config) for config in configs}) == 2


def test_it_learns_keeps_its_state_in_float32_and_resumes_to_the_bit(setup: Setup, tmp_path: Path) -> None:
    start = setup.strategy.place_state(setup.experiment.init())
    before = setup.evaluator.evaluate(start, "valid")
    whole = after(setup, start, 0, 60)
    piece = after(setup, setup.strategy.place_state(setup.experiment.init()), 0, 25)
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(25, piece, {})
        checkpoints.wait()
        restored, _ = checkpoints.restore(25, jax.eval_shape(setup.experiment.init))
    resumed = after(setup, setup.strategy.place_state(restored), 25, 35)
    assert [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves((resumed.params, resumed.opt_state))] == [
        np.asarray(leaf).tobytes() for leaf in jax.tree.leaves((whole.params, whole.opt_state))
    ]
    floats = {leaf.dtype.name for leaf in jax.tree.leaves((whole.params, whole.opt_state)) if leaf.dtype.kind != "i"}
    assert floats == {"float32"}
    found = setup.evaluator.evaluate(whole, "valid")
    assert found["loss"] < 0.9 * before["loss"]
    assert found["accuracy"] > 0.3


def test_the_network_gives_bfloat16_and_predictions_on_the_host_are_float32(setup: Setup) -> None:
    experiment = setup.experiment
    state = experiment.init()
    outputs = jax.eval_shape(experiment.predict, state, experiment.example_batch(8))
    assert outputs["logits"].dtype == "bfloat16"
    logs = jax.eval_shape(experiment.step, state, experiment.example_batch(8))[1]
    assert {log.dtype.name for log in logs.values()} == {"float32"}
    predicted = setup.evaluator.predict(state, {"image": np.zeros((3, 8, 8, 1), np.float32)})
    assert predicted["logits"].dtype == np.float32
