"""Who has a trial: a process, told apart from a later one of the same id, and whether it is still there."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HEARTBEAT_S = 10.0
"""How often a process says that it is alive."""

STALE_S = 60.0
"""A process on another host that has not said so for this long counts as gone."""


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
      host: the machine's name.
      pid: the process's id there.
      born: when it was started, in the kernel's ticks, so that a later process of the same id is another.
    """

    host: str
    pid: int
    born: str

    @classmethod
    def this(cls) -> Self:
        """This process."""
        return cls(socket.gethostname(), os.getpid(), _born(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`."""
        host, pid, born = (*text.rsplit(":", 2), "", "", "")[:3]
        return cls(host, int(pid) if pid.isdigit() else 0, born)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.born}"

    def alive(self, heartbeat: float | None) -> bool:
        """Whether the process is there: on this host the kernel knows, of others the last heartbeat tells."""
        if self.pid == 0:
            return False
        if self.host != socket.gethostname():
            return heartbeat is not None and time.time() - heartbeat < STALE_S
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return _born(self.pid) == self.born


def _born(pid: int) -> str:
    """Field 22 of /proc/PID/stat, counted from behind the name, which may hold spaces; empty without /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    # A zombie is dead but for its parent, which has not asked yet.
    return "" if fields[0] == "Z" else fields[19]
