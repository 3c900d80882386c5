"""`metrics.jsonl`: one JSON object a line, the same bytes for the same training.

A record is `{"step": 50, "epoch": 1, "split": "train", "loss": 0.25, ...}`. Numbers are written so that they read back
exactly. JSON has no NaN or infinity: such a metric is `null` (which pandas and jq take as missing), and the record says
in `nonfinite` which it was: `{"loss": null, "nonfinite": {"loss": "nan"}}`. No clock time stands in it, so that the
log of a resumed run is bitwise that of an uninterrupted one.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from framework.core.files import unwritable, write_atomically

_LEADING = ("step", "epoch", "split")


class MetricLog:
    """The metric log of a run, for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *records: Mapping[str, Any]) -> None:
        """Writes records at the end, in one write.

        Raises:
          RunError: the disk is full or the file may not be written.
        """
        text = "".join(encode(record) + "\n" for record in records)
        try:
            with self.path.open("ab") as file:
                file.write(text.encode("utf-8"))
        except OSError as error:
            raise unwritable(self.path, error) from error

    def sync(self) -> None:
        """Makes what was appended durable. Call it before a checkpoint that relies on it."""
        if self.path.exists():
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def truncate_after(self, step: int) -> None:
        """Drops, atomically, every record of a later step than `step`, and a last line that was cut off by a crash."""
        lines = list(_whole_lines(self.path))
        kept = b"".join(line for line in lines if json.loads(line)["step"] <= step)
        if self.path.exists() and self.path.read_bytes() != kept:
            write_atomically(self.path, kept)

    def records(self) -> list[dict[str, Any]]:
        """Everything written so far."""
        return read_records(self.path)


def encode(record: Mapping[str, Any]) -> str:
    """One record as one line of JSON: `step`, `epoch`, `split`, then the metrics in the order given."""
    ordered = {key: record[key] for key in _LEADING if key in record} | dict(record)
    plain = {key: _number(value) for key, value in ordered.items()}
    nonfinite = {
        key: repr(value) for key, value in plain.items() if isinstance(value, float) and not math.isfinite(value)
    }
    finite = {key: None if key in nonfinite else value for key, value in plain.items()}
    return json.dumps(finite | ({"nonfinite": nonfinite} if nonfinite else {}), allow_nan=False, ensure_ascii=False)


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of a metric log, NaN and infinities as floats again. A line cut off by a crash is passed over."""
    return [_decode(line) for line in _whole_lines(path)]


def _decode(line: bytes) -> dict[str, Any]:
    record = json.loads(line)
    for key, word in record.pop("nonfinite", {}).items():
        record[key] = float(word)
    return record


def _whole_lines(path: Path) -> Iterator[bytes]:
    if not path.exists():
        return
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n") and _is_object(line):
            yield line


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
