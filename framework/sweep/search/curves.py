"""The validations of all trials of a sweep, in one file that several processes append to and read.

    {"step": 4, "values": {"0": 0.61, "1": 0.58}}
    {"stopped": {"1": "..."}}

Verdicts lie there too, so that a trial that was stopped before its process died is stopped again.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "values.jsonl"


class Curves:
    """What is known of the course of all trials.

    Args:
      folder: of the sweep.
      sign: 1 where smaller values are better, -1 where greater ones are; all values here are smaller where better.
    """

    def __init__(self, folder: Path, sign: float) -> None:
        self._path = folder / FILE
        self._sign = sign
        self._read = 0
        self._values: dict[int, dict[int, float]] = {}
        self.stopped: dict[int, str] = {}

    def add(self, step: int, values: Mapping[int, float]) -> None:
        """Keep a validation of some trials, and take in what other processes kept."""
        self._append({"step": step, "values": values})
        self.refresh()

    def stop(self, reasons: Mapping[int, str]) -> None:
        """Keep that trials go no further."""
        if reasons:
            self._append({"stopped": reasons})
            self.refresh()

    def refresh(self) -> None:
        """Take in what was appended since."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # another process may be writing the last line
        self._read += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def numbers(self) -> list[int]:
        """The trials that were validated."""
        return list(self._values)

    def values(self, number: int) -> dict[int, float]:
        """Step -> value of a trial, by step."""
        return dict(sorted(self._values.get(number, {}).items()))

    def count(self, number: int, step: int) -> int:
        """How many validations a trial had up to a step."""
        return sum(other <= step for other in self._values.get(number, {}))

    def best(self, number: int, count: int) -> float | None:
        """The best of the first `count` values of a trial; None where it has not so many.

        One that was stopped stands with the best that it had.
        """
        values = list(self.values(number).values())
        if len(values) < count and number not in self.stopped:
            return None
        return min(values[:count], default=math.inf)

    def reached(self, number: int, count: int) -> float | None:
        """The same, where a trial that was stopped before counts as not having come so far."""
        values = list(self.values(number).values())
        return min(values[:count]) if len(values) >= count else None

    def _take(self, line: bytes) -> None:
        try:
            found: dict[str, Any] = json.loads(line)
        except ValueError:  # what a process left that was killed while it wrote
            return
        for number, value in found.get("values", {}).items():
            signed = self._sign * float(value)
            self._values.setdefault(int(number), {})[found["step"]] = signed if math.isfinite(signed) else math.inf
        self.stopped |= {int(number): reason for number, reason in found.get("stopped", {}).items()}

    def _append(self, entry: Mapping[str, Any]) -> None:
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            torn = size > 0 and file.read(1) != b"\n"
            file.write(("\n" if torn else "").encode() + json.dumps(entry).encode() + b"\n")
