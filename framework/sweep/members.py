"""What the parts of a sweep tell each other: its members, how each ended, and who is told and decides on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from framework.config.compose import Loaded

if TYPE_CHECKING:
    from framework.config.schema.sweep import Sweep
    from framework.sweep.grouping import Group

EndStatus = Literal["done", "failed", "pruned", "out_of_memory", "non_finite"]
"""How a trial can end."""


@dataclass(frozen=True, eq=False)
class Member:
    """One trial of a sweep.

    Attributes:
      number: of the trial in the sweep, from 0.
      loaded: its validated recipe; `config.run.dir` is `str(path)`, the seed and all traced values are its own.
      path: its run directory.
    """

    number: int
    loaded: Loaded
    path: Path


@dataclass(frozen=True)
class Ending:
    """What became of a trial.

    Attributes:
      status: how it ended.
      metrics: final values by dotted name, `valid.loss` or `test.accuracy`.
      seconds: wall-clock time; of members that ran together, its share.
      error: why it did not end as `done`; for a failure the traceback.
    """

    status: EndStatus
    metrics: Mapping[str, float]
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Stop:
    """The verdict that a member goes no further; it ends as `pruned`."""

    reason: str


@dataclass(frozen=True)
class Copy:
    """The verdict that a member goes on from another member's state, with some traced values changed.

    Attributes:
      source: number of the member whose state is taken.
      hyper: config key -> new value.
    """

    source: int
    hyper: Mapping[str, float] = field(default_factory=dict)


Verdict = Stop | Copy


class Director(Protocol):
    """Is told what happens to the members of a group, and decides."""

    def started(self, numbers: Sequence[int]) -> None:
        """These members begin."""

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        """A member wrote this record to its `metrics.jsonl`."""

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """The verdicts after a validation at `step`; a member that is not named goes on.

        Args:
          values: member number -> dotted metric -> value.
        """
        ...

    def ended(self, number: int, ending: Ending) -> None:
        """A member is over."""

    def stop_requested(self) -> str | None:
        """The name of the signal that asked the sweep to stop, or None."""
        ...


@runtime_checkable
class Audience(Protocol):
    """A director who also wants to know beforehand what will run."""

    def expect(self, section: Sweep, groups: Sequence[Group]) -> None:
        """These groups are about to run, in this order."""
