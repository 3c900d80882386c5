"""Lines of JSON between the driver of a sweep and a worker, in files of the sweep's folder.

    worker: Lines(mail / OUT).post({"ended": ...})
    driver: Tail(mail / OUT).read()

Each file has one writer. Files are opened for each write and each read: a network file system promises no more than
that what was written before a file was closed is seen by whoever opens it afterwards (close-to-open consistency,
nfs(5)).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OUT = "from_worker.jsonl"
IN = "to_worker.jsonl"

Note = dict[str, Any]


class Lines:
    """A file that notes are appended to, from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        # A writer that was killed may have left half a line.
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        self._before = b"\n" if torn else b""

    def post(self, *notes: Mapping[str, Any]) -> None:
        """Append notes."""
        text = "".join(json.dumps(note, default=float) + "\n" for note in notes)
        with self._lock, self._path.open("ab") as file:
            file.write(self._before + text.encode())
            self._before = b""


class Tail:
    """A file that another process appends notes to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def read(self) -> list[Note]:
        """The notes that came since; a line that is still being written comes later."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return [note for line in whole.splitlines() if (note := _parsed(line)) is not None]


def _parsed(line: bytes) -> Note | None:
    try:
        return json.loads(line)
    except ValueError:  # what a writer left that was killed while it wrote
        return None
