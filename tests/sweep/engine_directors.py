"""Directors that do something to a worker while it waits for their verdict, and the sweep that they look at."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from directing import log

from framework.sweep.directors import Watcher
from framework.sweep.driver import Result, sweep
from framework.sweep.engines.mail import OUT
from framework.sweep.ledger import Row
from framework.sweep.members import Director, Verdict
from framework.sweep.prepared import Request
from framework.sweep.search.schedule import changes

RECIPE = str(Path(__file__).parent / "recipes" / "small_mlp.yaml")
WIDTHS = "network.layers.hidden.dense.features=8,4"


def run_sweep(folder: Path, launcher: str, *overrides: str, directors: tuple[Director, ...] = ()) -> Result:
    """A sweep over the smallest recipe."""
    given = (*overrides, f"hydra/launcher={launcher}", f"hydra.sweep.dir='{folder}'")
    return sweep(Request(RECIPE, given), directors=directors)


def same(one: Row, other: Row) -> None:
    """Two trials have the same records and the same result; a worker with other cores adds in another order."""
    for record, found in zip(log(Path(one.path)), log(Path(other.path)), strict=True):
        assert found.keys() == record.keys()
        assert [value for value in found.values() if isinstance(value, str)] == [record["split"]]
        assert _numbers(found) == pytest.approx(_numbers(record), rel=1e-5)
    assert other.metrics == pytest.approx(one.metrics, rel=1e-5)
    assert (Path(other.path) / "result.json").exists()


def _numbers(record: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in record.items() if isinstance(value, int | float)}


def same_population(folder: Path, launcher: str, *overrides: str) -> None:
    """A population in a worker has the course that it has in this process."""
    axis, settings = "optimizer.learning_rate=log(interval(1e-4,1e-1))", ("sweep.sampler=pbt", "sweep.trials=4")
    here = run_sweep(folder / "here", "vectorized", axis, *settings)
    there = run_sweep(folder / "there", launcher, axis, *settings, *overrides)
    courses = [[changes(Path(row.path), 8) for row in found.rows] for found in (here, there)]
    assert courses[0] == courses[1]
    assert any(courses[0])
    for one, other in zip(here.rows, there.rows, strict=True):
        assert (one.status, other.status, other.attempts) == ("done", "done", 1)
        same(one, other)
    assert len(letters(folder / "there")) == 1, "a population is not cut, also where there are two workers"


def letters(folder: Path) -> dict[Path, list[dict[str, Any]]]:
    """What each worker of a sweep wrote, by its file."""
    return {
        path: [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted((folder / "engine").glob(f"*/*/{OUT}"))
    }


def worker_of(folder: Path, step: int, values: Mapping[int, Mapping[str, float]]) -> int:
    """The process that asked for this verdict, and waits for it."""
    names = {str(number) for number in values}
    for notes in reversed(letters(folder).values()):
        pids = [note["hello"]["pid"] for note in notes if "hello" in note]
        if any(note.get("review") == step and names == set(note["values"]) for note in notes):
            return int(pids[-1])
    raise LookupError(f"nobody asked about {names} at step {step}")


class Once(Watcher):
    """Does something to the first worker that asks at a step, and lets everybody go on."""

    def __init__(self, folder: Path, step: int, act: Callable[[int], None]) -> None:
        self._folder = folder
        self._step = step
        self._act = act
        self.pid: int | None = None
        self.members: set[int] = set()

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """The one deed, and no verdict."""
        if self.pid is None and step == self._step:
            self.pid, self.members = worker_of(self._folder, step, values), set(values)
            self._act(self.pid)
        return {}


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
