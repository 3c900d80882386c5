"""The ledger: rows that several processes share, and what a process that is gone left."""

from __future__ import annotations

import math
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from framework.core.errors import RunError
from framework.sweep.ledger import Ledger
from framework.sweep.members import Ending
from framework.sweep.owner import STALE_S, Owner


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def dead_owner() -> Owner:
    """A process that was here."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = Owner(Owner.this().host, child.pid, _born(child.pid))
    assert owner.alive(None)
    child.communicate(b"\n")
    return owner


def test_trials_are_numbered_in_the_order_in_which_they_are_proposed(ledger: Ledger) -> None:
    asked = []

    def ask(numbers):
        asked.append(list(numbers))
        return [[f"seed={number}"] for number in numbers]

    first, second = ledger.propose(2, ask), ledger.propose(1, ask)
    assert asked == [[0, 1], [2]]
    assert [(row.number, row.overrides, row.status) for row in ledger.trials()] == [
        (row.number, row.overrides, "queued") for row in (*first, *second)
    ]


def test_a_sampler_may_have_less_to_propose(ledger: Ledger) -> None:
    assert [row.number for row in ledger.propose(5, lambda numbers: [["seed=1"]])] == [0]
    assert ledger.propose(5, lambda numbers: []) == []


def test_a_row_tells_how_its_trial_ended(ledger: Ledger) -> None:
    ledger.propose(1, lambda numbers: [["seed=1"]])
    assert ledger.claim([0]) == [0]
    ledger.start([0])
    error = "Traceback (most recent call last):\n  File ...\nValueError: no such thing\n  fix:       none"
    ledger.end(0, Ending("failed", {"valid.loss": math.nan, "test.accuracy": 0.5}, 1.5, error), None)
    (row,) = ledger.trials()
    assert (row.status, row.seconds, row.attempts, row.error) == ("failed", 1.5, 1, "no such thing")
    assert row.metrics["test.accuracy"] == 0.5
    assert math.isnan(row.metrics["valid.loss"])
    assert row.created <= row.started <= row.ended  # type: ignore[operator]


def test_a_trial_belongs_to_one_process_at_a_time(ledger: Ledger) -> None:
    ledger.propose(3, lambda numbers: [[], [], []])
    other = Ledger(ledger.path)
    other.owner = Owner(Owner.this().host, os.getppid(), _born(os.getppid()))
    assert ledger.claim([0, 1]) == [0, 1]
    assert other.claim([0, 1, 2]) == [2]


def _born(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_what_a_dead_process_left_running_waits_again(ledger: Ledger) -> None:
    ledger.propose(1, lambda numbers: [["seed=1"]])
    gone = Ledger(ledger.path)
    gone.owner = dead_owner()
    assert gone.claim([0]) == [0]
    (row,) = ledger.trials()
    assert row.status == "running"
    assert row.open
    assert ledger.claim([0]) == [0]


def test_a_later_process_of_the_same_number_is_another() -> None:
    own = Owner.this()
    assert own.alive(None)
    assert not Owner(own.host, own.pid, "1").alive(None)
    assert Owner.parse(str(own)) == own
    assert not Owner.parse("").alive(None)


def test_a_process_elsewhere_lives_as_long_as_its_heart_beats(ledger: Ledger) -> None:
    import time

    other = Owner("elsewhere", 1, "1")
    assert other.alive(time.time())
    assert not other.alive(time.time() - 2 * STALE_S)
    assert not other.alive(None)


def test_a_heartbeat_is_of_all_that_a_process_has(ledger: Ledger) -> None:
    ledger.propose(2, lambda numbers: [[], []])
    ledger.claim([0, 1])
    ledger.tell({0: {"heartbeat": 0.0}, 1: {"heartbeat": 0.0}})
    ledger.end(1, Ending("done", {}, 0.0), None)
    ledger.beat()
    first, second = ledger.trials()
    assert first.heartbeat > 0.0  # type: ignore[operator]
    assert second.heartbeat == 0.0


def test_jobs_find_the_rows_of_their_overrides_each_once(ledger: Ledger) -> None:
    ledger.propose(3, lambda numbers: [["seed=1"], ["seed=1"], ["seed=2"]])
    ledger.end(0, Ending("done", {}, 0.0), (0.5,))
    found = ledger.matched([["seed=1"], ["seed=2"], ["seed=1"], ["seed=1"], ["seed=3"]])
    assert [row.number for row in found] == [1, 2, 0, 3, 4]
    assert found[2].objective == (0.5,)


def _add(path: Path, count: int) -> None:
    ledger = Ledger(path)
    for _ in range(count):
        (row,) = ledger.propose(1, lambda numbers: [[f"seed={numbers[0]}"]])
        assert ledger.claim([row.number]) == [row.number]


def test_processes_that_write_at_once_lose_nothing(ledger: Ledger) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add, args=(ledger.path, 10)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert [(row.number, row.overrides) for row in ledger.trials()] == [(n, (f"seed={n}",)) for n in range(30)]


def test_another_file_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("no database at all, but text that is long enough to be one\n" * 20)
    with pytest.raises(RunError, match="cannot be used as a ledger"):
        Ledger(tmp_path / "ledger.sqlite")
