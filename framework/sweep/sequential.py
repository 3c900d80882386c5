"""The engine that runs members one after another, each as `fw run` would run it alone."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from framework.core.errors import Interrupted, RunError
from framework.sweep.members import Copy, Director, Ending, EndStatus, Member, Stop
from framework.sweep.outcome import final_metrics, values_of

_NONFINITE = re.compile(r"became -?(nan|inf) at step")


def run_group(members: Sequence[Member], director: Director) -> None:
    """Run members one after another; one that fails does not keep the others from running.

    Raises:
      Interrupted: a signal asked to stop. What ran has saved itself; members that did not end are told nothing of.
    """
    for member in members:
        signal = director.stop_requested()
        if signal is not None:
            raise Interrupted(f"{signal}: stopped before trial {member.number}")
        director.started([member.number])
        director.ended(member.number, _run(member, director))


def _run(member: Member, director: Director) -> Ending:
    from framework.train.stages import run

    started = time.perf_counter()
    watch = _Watch(member, director)
    status: EndStatus = "done"
    error = ""
    try:
        run(member.loaded, observers=[watch], directory=member.path)
    except Interrupted:
        raise
    except _StopError as stopped:
        status, error = "pruned", str(stopped)
    except (MemoryError, Exception) as caught:
        status, error = _status(caught), traceback.format_exc()
    metrics = watch.latest if status == "pruned" else final_metrics(member.loaded.config, member.path)
    return Ending(status, metrics, time.perf_counter() - started, error)


def _status(error: BaseException) -> EndStatus:
    from framework.sweep.vectorized.memory import ran_out

    if ran_out(error):
        return "out_of_memory"
    return "non_finite" if isinstance(error, RunError) and _NONFINITE.search(str(error)) else "failed"


class _StopError(Exception):
    """A verdict ended the member."""


class _Watch:
    """An observer of one run, who hands its records on and ends it where the director says so."""

    def __init__(self, member: Member, director: Director) -> None:
        self._member = member
        self._director = director
        self.latest: dict[str, float] = {}

    def record(self, record: Mapping[str, Any]) -> None:
        """Hand it on; after a validation, heed the verdict."""
        number = self._member.number
        self._director.record(number, record)
        values = values_of(record)
        self.latest |= values
        if record["split"] != "valid" or self._is_last(record):
            return
        verdict = self._director.review(int(record["step"]), {number: values}).get(number)
        if isinstance(verdict, Stop):
            raise _StopError(verdict.reason)
        if isinstance(verdict, Copy):
            raise RunError(
                "members that run one after another cannot take each other's state\n"
                "  fix:       hydra/launcher=vectorized"
            )

    def _is_last(self, record: Mapping[str, Any]) -> bool:
        """Whether nothing is left to stop."""
        trainer = self._member.loaded.config.trainer
        if trainer.steps is not None:
            return int(record["step"]) >= trainer.steps
        return float(record["epoch"]) >= float(trainer.epochs or 0)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Nothing."""

    def settle(self) -> None:
        """Nothing."""
