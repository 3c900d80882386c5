"""Groups of a sweep as jobs of submitit on this machine: the same numbers, whatever happens to workers and driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from directing import log
from engine_directors import RECIPE, WIDTHS, Once, alive, letters, run_sweep, same, same_population

from framework.sweep.ledger import Ledger

QUICK = ("hydra.launcher.lost_after_s=3.0", "hydra.launcher.grace_s=30.0")


@pytest.mark.slow
def test_two_workers_find_what_one_process_finds_although_one_is_killed(tmp_path: Path) -> None:
    here = run_sweep(tmp_path / "here", "vectorized", WIDTHS, "seed=range(2)")
    kill = Once(tmp_path / "there", 4, lambda pid: os.kill(pid, signal.SIGKILL))
    axes = (WIDTHS, "seed=range(2)", "sweep.retries=1", "hydra.launcher.max_workers=2")
    there = run_sweep(tmp_path / "there", "submitit_local", *axes, directors=(kill,))
    assert [row.status for row in there.rows] == ["done"] * 4
    for one, other in zip(here.rows, there.rows, strict=True):
        same(one, other)
    assert len(kill.members) == 2
    assert {row.number: row.attempts for row in there.rows} == {
        number: 2 if number in kill.members else 1 for number in range(4)
    }
    for number in kill.members:
        assert "its worker was lost: process " in (tmp_path / "there" / str(number) / "log.txt").read_text()
    assert len(letters(tmp_path / "there")) == 4, "the two members of the lost worker have one each"


@pytest.mark.slow
def test_a_population_changes_in_a_worker_as_it_does_here(tmp_path: Path) -> None:
    same_population(tmp_path, "submitit_local", *QUICK, "hydra.launcher.max_workers=2")


@pytest.mark.slow
def test_a_preempted_job_is_queued_again_and_goes_on_where_it_was(tmp_path: Path) -> None:
    leave = Once(tmp_path / "there", 4, lambda pid: os.kill(pid, signal.SIGUSR2))
    there = run_sweep(
        tmp_path / "there", "submitit_local", "seed=0,1", *QUICK, "hydra.launcher.max_workers=1", directors=(leave,)
    )
    assert [(row.status, row.attempts) for row in there.rows] == [("done", 1)] * 2
    (notes,) = letters(tmp_path / "there").values()
    words = [next(iter(note)) for note in notes if next(iter(note)) in ("hello", "started", "over")]
    assert words == ["hello", "started", "over", "hello", "started", "over"]
    here = run_sweep(tmp_path / "here", "vectorized", "seed=0,1")
    for one, other in zip(here.rows, there.rows, strict=True):
        same(one, other)


DRIVER = """
import sys, time
from framework.sweep.directors import Watcher
from framework.sweep.driver import sweep
from framework.sweep.prepared import Request

class Ponders(Watcher):
    def review(self, step, values):
        if step == 4:
            print("jax" in sys.modules, flush=True)
            time.sleep(600)
        return {}

sweep(Request(sys.argv[1], tuple(sys.argv[2:])), directors=(Ponders(),))
"""


@pytest.mark.slow
def test_workers_of_a_killed_driver_save_and_end_and_the_rerun_finishes(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    words = ("seed=0,1", *QUICK, "hydra.launcher.max_workers=1")
    command = [sys.executable, "-c", DRIVER, RECIPE, *words, "hydra/launcher=submitit_local"]
    driver = subprocess.Popen([*command, f"hydra.sweep.dir={folder}"], text=True, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    try:
        assert driver.stdout.readline() == "False\n", "a driver needs no JAX"
    finally:
        driver.kill()
        driver.wait()
        driver.stdout.close()
    (notes,) = letters(folder).values()
    pid = notes[0]["hello"]["pid"]
    while alive(pid):
        time.sleep(0.1)
    (notes,) = letters(folder).values()
    assert notes[-1] == {"over": {"kind": "stopped", "text": notes[-1]["over"]["text"]}}
    assert [row.status for row in Ledger(folder / "ledger.sqlite").trials()] == ["running"] * 2
    rerun = run_sweep(folder, "submitit_local", *words)
    assert [(row.status, row.attempts) for row in rerun.rows] == [("done", 2)] * 2
    assert [record["step"] for record in log(folder / "0") if record["split"] == "valid"] == [2, 4, 6, 8]
