"""A real recipe in two processes on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ranks import ranks

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds a rank by /proc, which only Linux has")
def test_a_job_of_two_survives_the_death_of_one(tmp_path: Path) -> None:
    words = ["digits_mlp", "parallel=data", "trainer.epochs=3", "data.batch_size=128", "run.dir=run"]
    quiet = ["report.figures=false", "report.tensorboard=false"]
    command = [sys.executable, "-m", "framework", "launch", "--local", "2", "--restarts", "1", *words, *quiet]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TEST_JOB": str(tmp_path)}
    launched = subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    checkpoints = tmp_path / "run" / "checkpoints"
    while not (checkpoints.is_dir() and any(path.name.isdigit() for path in checkpoints.iterdir())):
        assert launched.poll() is None, launched.communicate()
        time.sleep(0.02)
    os.kill(ranks(TEST_JOB=str(tmp_path))[1], signal.SIGKILL)
    out, err = launched.communicate(timeout=300)
    assert launched.returncode == 0, err
    assert "fw launch: rank 1 was ended by SIGKILL, the first of 2" in err
    assert "process 0 of 2: process 1 is gone" in err
    assert "fw launch: starting again in the same run directory, 1 of 1" in err
    assert out.rstrip().endswith("run: run")
    splits = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    steps = [each["step"] for each in splits if each["split"] == "valid"]
    assert len(steps) == 3
    assert steps == sorted(set(steps))
