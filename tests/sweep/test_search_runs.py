"""Searches with real runs: pruning, populations, and several processes of which one is killed."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from directing import log
from rich.console import Console

from framework.config.compose import load
from framework.core.errors import Interrupted, RunError
from framework.report.words import number
from framework.sweep.directors import Watcher
from framework.sweep.driver import Result, sweep
from framework.sweep.ledger import FILE, Ledger
from framework.sweep.members import Verdict
from framework.sweep.prepared import Request
from framework.sweep.search.schedule import changes, taken_over
from framework.sweep.search.workers import of_worker
from framework.sweep.table import SweepTable
from framework.train.saved import setup_of, state_of
from framework.train.stages import run

RATE = "optimizer.learning_rate"
AXIS = f"{RATE}=log(interval(1e-4,1e-1))"
EIGHT = "trainer.steps=8"
SHORT = ("checkpoint=none", "run.stages=[train]")


def swept(recipe: str, *overrides: str, **others: Any) -> Result:
    return sweep(Request(recipe, overrides), **others)


def steps(result: Result) -> int:
    """How many steps all members took together."""
    return sum(log(Path(row.path))[-1]["step"] for row in result.rows)


class Stopped(Watcher):
    """Asks to stop after so many validations."""

    def __init__(self, after: int) -> None:
        self._left = after

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        self._left -= 1
        return {}

    def stop_requested(self) -> str | None:
        return "SIGTERM" if self._left <= 0 else None


def test_a_search_that_learns_goes_on_where_it_was_left(tiny: str) -> None:
    words = (AXIS, "sweep.sampler=tpe", "sweep.batch=3", "sweep.dir=here", *SHORT)
    first = swept(tiny, *words, "sweep.trials=3")
    more = swept(tiny, *words, "sweep.trials=6")
    assert [row.status for row in more.rows] == ["done"] * 6
    assert [row.attempts for row in more.rows] == [1] * 6
    assert more.rows[:3] == first.rows
    assert Path("here/study.sqlite").is_file()


def test_a_pruner_finds_the_same_winner_in_fewer_steps(tiny: str) -> None:
    words = (AXIS, "sweep.sampler=random", "sweep.trials=9", EIGHT, *SHORT)
    whole = swept(tiny, *words, "sweep.dir=whole")
    halved = swept(tiny, *words, "sweep.pruner=asha", "sweep.dir=halved")
    median = swept(tiny, *words, "sweep.pruner={type: median, after: 0}", "sweep.dir=median")
    assert whole.best is not None
    for pruned in (halved, median):
        assert pruned.best is not None
        assert pruned.best.number == whole.best.number
        assert pruned.best.objective == whole.best.objective
        assert all("validation" in row.error for row in pruned.rows if row.status == "pruned")
    assert (steps(whole), steps(halved), _pruned(halved)) == (72, 6 * 2 + 2 * 6 + 8, 8)
    # About half: the one in the middle is compared with the middle of the others.
    assert steps(median) <= 4 * 2 + 5 * 8
    assert _pruned(median) in (4, 5)


def _pruned(result: Result) -> int:
    return [row.status for row in result.rows].count("pruned")


def test_a_later_group_is_compared_with_earlier_ones(tiny: str) -> None:
    # The first group has the good rates; of the second, which alone would keep one, none is good enough.
    rates = f"{RATE}=0.1,0.09,0.08,0.0003,0.0002,0.0001"
    result = swept(
        tiny, rates, "sweep.batch=3", "sweep.pruner.type=asha", "sweep.pruner.factor=3", "sweep.dir=here", *SHORT
    )
    assert [row.status for row in result.rows[3:]] == ["pruned"] * 3
    assert [row.status for row in result.rows].count("done") == 1


def test_members_that_run_one_after_another_are_pruned_too(tiny: str) -> None:
    rates = f"{RATE}=0.1,0.0001"
    words = ("sweep.pruner={type: asha, factor: 2}", "hydra/launcher=basic", "sweep.dir=here", *SHORT)
    assert [row.status for row in swept(tiny, rates, *words).rows] == ["done", "pruned"]


def test_a_population_copies_its_best_and_keeps_the_course(tiny: str) -> None:
    words = (AXIS, EIGHT, "sweep.sampler=pbt", "sweep.trials=4", "checkpoint.monitor=null")
    settings = "sweep.pbt={fraction: 0.25, resample: 0.0}"
    result = swept(tiny, *words, settings, "sweep.dir=one")
    copied = {row.number: changes(Path(row.path), 8) for row in result.rows}
    assert {entry["step"] for entries in copied.values() for entry in entries} == {2, 4, 6}
    for row in result.rows:
        for entry in copied[row.number]:
            source = result.rows[entry["source"]]
            present = source.parameters[RATE] if entry["step"] == 2 else None
            before = {**source.parameters, **taken_over(Path(source.path), entry["step"] - 1)}[RATE]
            assert present in (None, before)
            assert entry["hyper"][RATE] / before == pytest.approx(0.8, rel=1e-4) or entry["hyper"][
                RATE
            ] == pytest.approx(min(1.25 * before, 0.1), rel=1e-4)


def test_a_population_that_a_signal_stopped_goes_on_with_the_values_it_had(tiny: str) -> None:
    words = (AXIS, EIGHT, "sweep.sampler=pbt", "sweep.trials=4")
    whole = swept(tiny, *words, "sweep.dir=whole")
    with pytest.raises(Interrupted):
        swept(tiny, *words, "sweep.dir=cut", directors=[Stopped(2)])
    (changed, *_) = [number for number in range(4) if changes(Path(f"cut/{number}"), 8)]
    (row,) = [row for row in Ledger(Path("cut") / FILE).trials() if row.number == changed]
    with pytest.raises(RunError, match=r"is a member of a population(.|\n)*fix: +fw sweep RECIPE ... sweep.dir=cut"):
        run(load(tiny, [EIGHT, *row.overrides]), directory=Path(row.path))
    cut = swept(tiny, *words, "sweep.dir=cut")
    for one, two in zip(cut.rows, whole.rows, strict=True):
        assert one.status == "done"
        assert changes(Path(one.path), 8) == changes(Path(two.path), 8)
        assert log(Path(one.path)) == log(Path(two.path))
        kernels = [
            state_of(setup_of(Path(row.path)), Path(row.path), "last", None).params["hidden"]["kernel"]
            for row in (one, two)
        ]
        np.testing.assert_array_equal(*kernels)


def test_zipped_and_listed_values_of_a_population_move_to_a_neighbour(tiny: str) -> None:
    rates, decays = "0.001,0.01,0.1", "0.1,0.2,0.3"
    words = (f"{RATE}={rates}", f"optimizer.weight_decay={decays}", f"sweep.zip=[[{RATE},optimizer.weight_decay]]")
    settings = ("sweep.sampler=pbt", "sweep.trials=3", "sweep.pbt.resample=0.0", "sweep.dir=here", *SHORT)
    result = swept(tiny, *words, *settings)
    pairs = {(0.001, 0.1), (0.01, 0.2), (0.1, 0.3)}
    moved = [entry["hyper"] for row in result.rows for entry in changes(Path(row.path), 8)]
    assert moved
    assert {(hyper[RATE], hyper["optimizer.weight_decay"]) for hyper in moved} <= pairs


def _workers(recipe: str, overrides: Sequence[str], count: int) -> list[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "framework", "sweep", recipe, *overrides]
    return [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(count)]


@pytest.mark.slow
def test_three_processes_share_a_study_and_one_is_killed(tiny: str) -> None:
    words = (AXIS, "sweep.sampler=tpe", "sweep.trials=5", "sweep.batch=1", "sweep.dir=here", *SHORT)
    ledger = Ledger(_folder("here") / FILE)
    workers = _workers(tiny, words, 3)
    by_id = {str(worker.pid): worker for worker in workers}
    try:
        while not (begun := [row for row in ledger.trials() if row.started and row.status == "running"]):
            assert any(worker.poll() is None for worker in workers)
            time.sleep(0.02)
        killed = by_id[begun[0].owner.split(":")[-2]]
        os.kill(killed.pid, signal.SIGKILL)
        workers.remove(killed)
        told = [worker.communicate(timeout=300)[1] for worker in workers]
    finally:
        for worker in by_id.values():
            worker.kill()
            worker.communicate()
    assert [worker.returncode for worker in workers] == [0, 0], told
    # Where the others had ended before the kill, the same command finishes what is left; else it finds nothing to do.
    rows = swept(tiny, *words).rows
    assert [(row.number, row.status) for row in rows] == [(number, "done") for number in range(5)]
    # The one that the killed process had begun was begun again; no other one was.
    assert sum(row.attempts for row in rows) <= 6
    assert str(killed.pid) not in [row.owner.split(":")[-2] for row in rows if row.attempts > 1]
    lines = [log(Path(row.path)) for row in rows]
    assert all([record["step"] for record in own if record["split"] == "valid"] == [2, 4] for own in lines)
    assert len({row.overrides for row in rows}) == 5


def test_workers_of_one_command_share_its_trials_and_the_table_hears_of_them(tiny: str) -> None:
    words = (f"{RATE}=0.1,0.01,0.001,0.0001", "sweep.workers=2", "sweep.dir=here", "report.progress=plain", *SHORT)
    console = Console(file=io.StringIO(), width=110)
    with SweepTable(console=console) as table:
        result = swept(tiny, *words, directors=[table])
    assert result.best is not None
    last = console.file.getvalue().splitlines()[-1]
    # Who of the two got how many trials is a matter of speed, and with it whether this one had a second group.
    best = re.escape(f"best valid.loss {number(result.best.objective[0])}: learning_rate=")
    assert re.match(rf"4/4 trials  (group \d/\d  )?{best}", last)
    assert [row.status for row in result.rows] == ["done"] * 4
    assert [row.attempts for row in result.rows] == [1] * 4
    assert not {row.owner.split(":")[-2] for row in result.rows} & {str(os.getpid())}


def test_a_worker_is_asked_for_the_same_sweep(tiny: str) -> None:
    request = Request(tiny, ("seed=0,1", "sweep.workers=2", "+sweep.batch=3", "hydra.sweep.dir=x"), ("train",))
    own = of_worker(request, Path("here"), 1)
    assert own.overrides == ("seed=0,1", f"sweep.dir='{Path('here').absolute()}'", "sweep.workers=1", "sweep.batch=1")
    assert own.stages == ("train",)


def test_a_number_of_parameters_is_an_objective(tiny: str) -> None:
    words = ("network.args.width=4,8", "sweep.objective=[valid.loss,parameters]", "sweep.sampler=nsga2")
    result = swept(tiny, *words, "sweep.trials=3", "sweep.dir=here", *SHORT)
    for row in result.rows:
        assert row.objective is not None
        width = row.parameters["network.args.width"]
        assert row.objective[1] == json.loads((Path(row.path) / "result.json").read_text())["parameters"]
        assert row.objective[1] == 4 * width + width + 3 * width + 3


def _folder(name: str) -> Path:
    Path(name).mkdir()
    return Path(name)
