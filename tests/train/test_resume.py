"""A run that was killed anywhere and taken up again ends as one that was not: bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from framework.checkpoint import Checkpoints
from framework.cli.main import main
from framework.train.saved import setup_of

RECIPES = {
    "digits_mlp": [
        "trainer.epochs=null",
        "trainer.steps=320",
        "checkpoint.every_steps=40",
        "trainer.log_every_steps=7",
    ],
    "digits_cnn": ["trainer.epochs=null", "trainer.steps=40", "checkpoint.every_steps=9", "trainer.log_every_steps=4"],
}
KILL_AFTER = {"digits_mlp": (41, 130, 230), "digits_cnn": (9, 24)}


def command(recipe: str, folder: Path) -> list[str]:
    overrides = [*RECIPES[recipe], "trainer.validate_every_steps=20", "report.tensorboard=false", f"run.dir={folder}"]
    if recipe == "digits_mlp":
        overrides.append("trainer.steps_per_dispatch=4")
    else:
        overrides.append("network.layers.hidden.dense.features=8")
    return [sys.executable, "-m", "framework", "train", recipe, *overrides]


def steps_logged(folder: Path) -> int:
    path = folder / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    return json.loads(whole[-1])["step"] if whole else 0


def kill_once_past(step: int, recipe: str, folder: Path, number: signal.Signals) -> int:
    process = subprocess.Popen(command(recipe, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and steps_logged(folder) < step and time.monotonic() < deadline:
        time.sleep(0.002)
    if process.poll() is None:
        process.send_signal(number)
    return process.wait()


def final_state(folder: Path) -> dict[str, np.ndarray]:
    import jax

    from framework.core.trees import named_leaves

    like = jax.eval_shape(setup_of(folder).abstract.init)
    with Checkpoints(folder / "checkpoints", keep=1) as checkpoints:
        state, progress = checkpoints.restore(None, like)
    assert progress["finished"]
    return {name: np.asarray(leaf) for name, leaf in named_leaves(state).items()}


def same_bits(one: Path, other: Path) -> None:
    assert (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    left, right = final_state(one), final_state(other)
    assert list(left) == list(right)
    for name, value in left.items():
        assert value.tobytes() == right[name].tobytes(), name


@pytest.fixture(scope="module", params=list(RECIPES))
def uninterrupted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run(command(request.param, folder), check=True, capture_output=True, env=os.environ)
    return request.param, folder


@pytest.mark.slow
def test_a_killed_run_resumes_bitwise(uninterrupted: tuple[str, Path], tmp_path: Path) -> None:
    recipe, whole = uninterrupted
    killed = 0
    for step in KILL_AFTER[recipe]:
        killed += kill_once_past(step, recipe, tmp_path / "run", signal.SIGKILL) == -signal.SIGKILL
    assert killed, "the run was never caught before its end"
    subprocess.run(command(recipe, tmp_path / "run"), check=True, capture_output=True)
    same_bits(whole, tmp_path / "run")


def test_a_terminated_run_saves_itself_and_resumes_bitwise(uninterrupted: tuple[str, Path], tmp_path: Path) -> None:
    recipe, whole = uninterrupted
    step = KILL_AFTER[recipe][0]
    code = kill_once_past(step, recipe, tmp_path / "run", signal.SIGTERM)
    assert code == 143, f"ended with {code}"
    subprocess.run(command(recipe, tmp_path / "run"), check=True, capture_output=True)
    same_bits(whole, tmp_path / "run")


def test_a_finished_run_says_that_it_is_complete(
    uninterrupted: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, folder = uninterrupted
    before = (folder / "metrics.jsonl").read_bytes()
    assert main(command(recipe, folder)[3:]) == 0
    assert "complete" in capsys.readouterr().out
    assert (folder / "metrics.jsonl").read_bytes() == before


def test_a_changed_recipe_is_refused_with_the_difference(
    uninterrupted: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, folder = uninterrupted
    assert main([*command(recipe, folder)[3:], "optimizer.learning_rate=0.5"]) == 2
    said = capsys.readouterr().err
    assert "optimizer.learning_rate" in said and "0.5" in said
    assert "Traceback" not in said
