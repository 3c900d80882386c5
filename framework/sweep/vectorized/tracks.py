"""A member on the host: its run directory, its records and policies, as the loop of a single run has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from framework.build.experiment import Experiment
from framework.data.schedule import BatchSchedule
from framework.report.jsonl import MetricLog
from framework.sweep.members import Member
from framework.sweep.outcome import values_of
from framework.sweep.vectorized.homes import Home
from framework.train.loop import Loop, Record
from framework.train.progress import Progress
from framework.train.runner import Logs


@dataclass
class Given:
    """Stands where a loop asks for an evaluation: the group has made it for all members at once."""

    results: Mapping[str, Any] = field(default_factory=dict)

    def evaluate(self, state: Any, split: str) -> dict[str, Any]:
        """What was given."""
        del state, split
        return dict(self.results)


@dataclass
class Marks:
    """Stands where a loop keeps checkpoints: notes what is to be kept, which the group writes for all members.

    Attributes:
      last: the newest step that is to be kept, and the progress at it.
      best: the best step, and the progress at it.
      improved: the best step is the one just taken.
    """

    last: tuple[int, dict[str, Any]] | None = None
    best: tuple[int, dict[str, Any]] | None = None
    improved: bool = False

    def save(self, step: int, state: Any, progress: dict[str, Any]) -> None:
        """Note the step."""
        del state
        self.last = (step, progress)

    def mark_best(self, step: int, value: float) -> bool:
        """Note that the step just kept is the best."""
        if self.last is None or not np.isfinite(value):
            return False
        self.best, self.improved = self.last, True
        return True


class Records:
    """The records of a member, told on at once and written when they must be durable."""

    def __init__(self, log: MetricLog, told: Callable[[Record], None]) -> None:
        self._log = log
        self._told = told
        self._waiting: list[Record] = []
        self.valid: dict[str, float] = {}

    def record(self, record: Record) -> None:
        """Tell it on, and keep it for `write`."""
        self._waiting.append(record)
        if record["split"] == "valid":
            self.valid = values_of(record)
        self._told(record)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Nothing: progress is told for the group."""

    def settle(self) -> None:
        """Nothing: the group writes before it keeps states."""

    def write(self) -> None:
        """Append what is waiting to the metric log."""
        if self._waiting:
            self._log.append(*self._waiting)
            self._waiting = []


class Rhythm:
    """Stands where a loop asks for its runner: the group runs the steps."""

    def __init__(self, schedule: BatchSchedule) -> None:
        self.schedule = schedule

    def observe(self, count: int, seconds: float) -> None:
        """Nothing: the group learns how many steps fit a dispatch."""


class Track(Loop):
    """The loop of one member, whose steps and evaluations are made by the group.

    It makes the same records at the same steps and follows the same policies as the loop of a run alone, because it is
    that loop, taken step by step.
    """

    member: Member
    home: Home
    records: Records
    place: int
    failure: str
    pruned: str

    @classmethod
    def of(
        cls,
        member: Member,
        home: Home,
        place: int,
        experiment: Experiment,
        schedule: BatchSchedule,
        told: Callable[[Record], None],
        *,
        validates: bool,
    ) -> Track:
        """A member at the start, or where `home` says that it was left."""
        records = Records(MetricLog(home.directory.metrics), told)
        track = cls(
            experiment=experiment,
            runner=Rhythm(schedule),  # type: ignore[arg-type]
            evaluator=Given() if validates else None,  # type: ignore[arg-type]
            state=None,  # type: ignore[arg-type]
            progress=home.progress or Progress(),
            observers=[records],
            keeper=Marks(),
            step=home.step,
        )
        track.member, track.home, track.place, track.records = member, home, place, records
        track.failure, track.pruned = "", ""
        if home.progress is not None:
            track.marks.last = (home.step, home.progress.to_json())
        if home.best is not None:
            track.marks.best = (int(home.best[0].step), home.best[1])
        return track

    @property
    def marks(self) -> Marks:
        """What is to be kept of this member."""
        assert isinstance(self.keeper, Marks)
        return self.keeper

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return not self.failure and not self.pruned and not self.progress.finished

    def boundary(self, total: int) -> int:
        """The next step at which something is due for every member."""
        return self._next_boundary(total)

    def validates_at(self, step: int, total: int) -> bool:
        """Whether a validation is due at a boundary."""
        return self.evaluator is not None and (step >= total or step % self._validate_every == 0)

    def advance(self, columns: Mapping[str, np.ndarray], count: int) -> None:
        """Take in the logs of `count` steps.

        Raises:
          RunError: the loss became NaN or infinite and `trainer.on_nonfinite` is `stop`.
        """
        self.step += count
        self._take(Logs(self.step - count, count, dict(columns)))

    def arrive(self, total: int, results: Mapping[str, Any] | None) -> None:
        """Do what is due at a boundary, with the results of its validation."""
        self.marks.improved = False
        if results is not None:
            assert isinstance(self.evaluator, Given)
            self.evaluator.results = results
        self._at_boundary(total)

    def halt(self) -> None:
        """Keep the state as it is now; whoever takes the member up again goes on from it."""
        self._save(best=False)
