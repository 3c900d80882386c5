"""Cores of a machine for a worker: as many as it was promised, and none that another worker took."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

_held: dict[int, IO[bytes]] = {}
"""Open, locked files by core: the kernel lets go of them when the process ends, however it ends."""


def limit_cores(count: int) -> None:
    """Keep this thread, and threads that it starts, to a number of cores.

    Where a scheduler has done so, or there are no more, nothing changes. Must come before JAX starts: its threads count
    the cores that they may use. A core that no worker has is taken first.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) <= count:
        return
    folder = Path(tempfile.gettempdir()) / f"framework-cores-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for core in allowed:
        if len(_held) == count:
            break
        _take(folder, core)
    rest = [core for core in allowed if core not in _held]
    os.sched_setaffinity(0, [*_held, *rest[: count - len(_held)]])


def _take(folder: Path, core: int) -> None:
    file = (folder / str(core)).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
    else:
        _held[core] = file
