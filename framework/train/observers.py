"""Those who are told of a run's records besides TensorBoard and the terminal."""

from __future__ import annotations

from typing import Any

from framework.report.jsonl import MetricLog
from framework.runtime.programs import programs

Record = dict[str, Any]


class LogObserver:
    """Writes every record to `metrics.jsonl`."""

    def __init__(self, log: MetricLog) -> None:
        self._log = log

    def record(self, record: Record) -> None:
        """Append it."""
        self._log.append(record)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Nothing: the log holds no clock time."""

    def settle(self) -> None:
        """Sync the file."""
        self._log.sync()


class ProgramKeeper:
    """Puts what was compiled where later processes find it, so that a run that is killed starts again quickly."""

    def record(self, record: Record) -> None:
        """Nothing."""

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Nothing."""

    def settle(self) -> None:
        """Keep what is new."""
        known = programs()
        if known is not None:
            known.keep()
