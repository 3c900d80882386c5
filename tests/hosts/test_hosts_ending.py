"""One process is killed or asked to stop: the others end with it, in words, and the job goes on bitwise."""

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
from processes import Ended, ended, run, start

from framework.checkpoint import Checkpoints
from framework.core.trees import named_leaves
from framework.train.saved import setup_of

pytestmark = pytest.mark.slow

STEPS = 120


def words(folder: Path) -> list[str]:
    """A run whose state is divided, and which dispatches as many steps at once as the clock says."""
    return [
        *("-m", "framework", "run", "digits_mlp", "parallel=fsdp", "parallel.hosts=auto", "parallel.heartbeat_s=20"),
        *("trainer.epochs=null", f"trainer.steps={STEPS}", "trainer.log_every_steps=7", "checkpoint.every_steps=10"),
        *("trainer.validate_every_steps=40", "data.batch_size=32", "network.layers.hidden1.dense.features=16"),
        *("data.resident=false", "checkpoint.keep=20", "report.figures=false", f"run.dir={folder}"),
    ]


def interrupted(folder: Path, process: int, number: signal.Signals, after: int) -> list[Ended]:
    """How both processes end when one is sent a signal once a checkpoint is there."""
    processes = start(words(folder), 2)
    deadline = time.monotonic() + 120
    while not (folder / "checkpoints" / str(after)).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
        if any(other.poll() is not None for other in processes):
            break
    processes[process].send_signal(number)
    return ended(processes)


def saved_steps(folder: Path) -> list[int]:
    return sorted(int(entry.name) for entry in (folder / "checkpoints").iterdir() if entry.name.isdecimal())


def final_state(folder: Path) -> dict[str, np.ndarray]:
    import jax

    like = jax.eval_shape(setup_of(folder).abstract.init)
    with Checkpoints(folder / "checkpoints", keep=20) as checkpoints:
        state, progress = checkpoints.restore(None, like)
    assert progress["finished"]
    return {name: np.asarray(leaf) for name, leaf in named_leaves(state).items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ended]]:
    """A run of two processes that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, run(words(folder), 2)


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ended], list[Ended], list[int]]:
    """The same run: one process killed, started again, the other asked to stop, started again."""
    folder = tmp_path_factory.mktemp("disturbed") / "run"
    killed = interrupted(folder, 1, signal.SIGKILL, 20)
    stopped = interrupted(folder, 1, signal.SIGTERM, 50)
    steps = saved_steps(folder)
    run(words(folder), 2)
    return folder, killed, stopped, steps


def test_only_the_first_process_writes_and_speaks(whole: tuple[Path, list[Ended]]) -> None:
    folder, (first, second) = whole
    assert "checkpoint of step" in first.out and f"run: {folder}" in first.out
    # What XLA says of its own connections is all that is left.
    assert [line for line in second.out.splitlines() if not line.startswith("[Gloo]")] == []
    assert second.err == ""
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    seen = [(record["step"], record["split"]) for record in records]
    assert len(seen) == len(set(seen)) and (STEPS, "valid") in seen
    assert len(list((folder / "tensorboard").glob("events*"))) == 2  # of training, and of the evaluation after it


def test_a_killed_process_ends_the_job_with_words(
    disturbed: tuple[Path, list[Ended], list[Ended], list[int]],
) -> None:
    folder, (first, second), _, _ = disturbed
    assert second.code == -signal.SIGKILL
    assert first.code == 75
    assert "process 0 of 2: process 1 is gone (its connection closed); the job ends here" in first.err
    assert f"the same command with run.dir={folder} goes on from the last checkpoint" in first.err
    assert "Traceback" not in first.err and "Check failure" not in first.err


def test_a_signal_to_one_process_saves_all_once(
    disturbed: tuple[Path, list[Ended], list[Ended], list[int]],
) -> None:
    _, _, (first, second), steps = disturbed
    assert (first.code, second.code) == (143, 143)
    saved = max(steps)
    assert f"SIGTERM: saved at step {saved}; the same command with the same run.dir goes on from there" in first.err
    assert f"process 1 of 2: SIGTERM: saved at step {saved}" in second.err
    assert saved < STEPS


def test_the_job_goes_on_bitwise(
    whole: tuple[Path, list[Ended]], disturbed: tuple[Path, list[Ended], list[Ended], list[int]]
) -> None:
    one, other = whole[0], disturbed[0]
    assert (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    left, right = final_state(one), final_state(other)
    assert list(left) == list(right)
    for name, value in left.items():
        assert value.tobytes() == right[name].tobytes(), name


def test_a_run_of_two_processes_is_evaluated_by_one(whole: tuple[Path, list[Ended]]) -> None:
    folder, _ = whole
    done = subprocess.run(
        [sys.executable, "-m", "framework", "evaluate", str(folder), "--json"],
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))["metrics"]["test"]
    found = json.loads(done.stdout)["test"]
    assert list(found) == list(result)
    for name, value in result.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, err_msg=name)
