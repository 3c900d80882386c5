"""One process at a time in a run directory."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path

from framework.core.errors import Problem, RunError
from framework.core.files import unwritable

FILE = ".lock"


class RunLock:
    """An exclusive lock on a folder. The kernel releases it when the process ends, however it ends.

    Raises:
      RunError: another process holds it; its id and host are told. Or the folder may not be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 4096, 0).decode(errors="replace")
            self.release()
            raise RunError(
                Problem(
                    key=str(folder),
                    found=f"is in use by {_told(holder)}",
                    expected="one process at a time in a run directory",
                    fix="wait for it or stop it; or choose another run.dir=PATH",
                )
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)

    def release(self) -> None:
        """Lets the next one in. The file stays: removing it would let two processes hold two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _told(holder: str) -> str:
    try:
        who = json.loads(holder)
        return f"process {who['pid']} on {who['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
