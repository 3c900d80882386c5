"""`fw sweep` as a user types it: its table, its plan, its exit codes, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from framework.cli.main import main
from framework.sweep.ledger import Ledger, Row

ROOT = Path(__file__).parent.parent.parent


def fw(*words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    command, pipe = [sys.executable, "-m", "framework", *words], subprocess.PIPE
    return subprocess.Popen(command, env=environment, text=True, stdout=pipe, stderr=pipe)


def test_the_table_has_the_best_first_and_its_command(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("sweep", tiny, "optimizer.learning_rate=0.0,0.1", "~metrics.f1", "sweep.dir=here")
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("trial"))
    assert lines[start].split() == ["trial", "optimizer.learning_rate", "valid.loss", "status", "seconds"]
    assert [line.split()[:2] for line in lines[start + 1 : start + 3]] == [["1", "0.1"], ["0", "0"]]
    assert lines[start + 4 :] == [
        "best: trial 1, here/1",
        "  fw run ./tiny.yaml optimizer.learning_rate=0.1 '~metrics.f1'",
        "sweep: here",
    ]


def test_the_plan_tells_groups_and_writes_nothing(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("sweep", tiny, "seed=range(3)", "network.args.width=4,8", "--plan")) == 0
    out = capsys.readouterr().out
    assert "seed                range(3)  traced: one program for all values\n" in out
    assert "network.args.width  4,8       structural: a program for each value\n" in out
    assert "    1       3  network.args.width=4  seed\n" in out
    assert out.endswith("6 trials; 2 compiled programs\n")
    assert [path.name for path in Path().iterdir()] == ["tiny.yaml"]


def test_a_mistake_ends_with_two_and_its_fix(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("sweep", tiny, "optimizer.learning_rate=interval(0,1)")) == 2
    assert "  fix:       sweep.sampler=random sweep.trials=20\n" in capsys.readouterr().err
    assert main(("sweep", tiny, "seed=0,1", "--fail-fast", "--keep-going")) == 2
    assert "--fail-fast: contradicts --keep-going" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["tiny.yaml"]


def test_trials_that_fail_end_with_two(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("here/0").mkdir(parents=True)
    Path("here/0/mine.txt").write_text("a file in the way")
    words = ("sweep", tiny, "seed=0,1", "sweep.dir=here", "hydra/launcher=basic")
    assert main(words) == 2
    out = capsys.readouterr().out
    assert "1 of 2 trials failed; why is in their log.txt\n" in out
    assert "trial 0: failed: run.dir: here/0 exists and is not a run: it holds mine.txt (here/0/log.txt)\n" in out
    Path("here/0/mine.txt").unlink()
    assert main((*words, "sweep.retries=1")) == 0


@pytest.mark.slow
def test_a_killed_sweep_goes_on_with_what_is_unfinished(tiny: str) -> None:
    words = ("sweep", tiny, "seed=range(3)", "sweep.dir=here", "hydra/launcher=basic", "trainer.steps=4")
    first = fw(*words)
    try:
        _wait_for(first, lambda: [(row.status, row.attempts) for row in _rows()][1:2] == [("running", 1)])
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    left = _rows()
    assert [row.status for row in left] == ["done", "running", "queued"]
    kept = (Path("here/0/metrics.jsonl").stat().st_mtime_ns, left[0].ended)
    second = fw(*words)
    _, err = second.communicate()
    assert (second.returncode, err) == (0, "")
    rows = _rows()
    assert [(row.status, row.attempts) for row in rows] == [("done", 1), ("done", 2), ("done", 1)]
    assert (Path("here/0/metrics.jsonl").stat().st_mtime_ns, rows[0].ended) == kept


def _rows() -> list[Row]:
    try:
        return Ledger(Path("here/ledger.sqlite")).trials() if Path("here/ledger.sqlite").exists() else []
    except sqlite3.Error:
        return []


def _wait_for(process: subprocess.Popen[str], holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 240
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, _rows()
        time.sleep(0.02)
