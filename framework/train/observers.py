"""The metric log as one of those who are told of a run's records."""

from __future__ import annotations

from typing import Any

from framework.report.jsonl import MetricLog

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
