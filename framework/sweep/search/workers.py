"""Several processes at work on one sweep: each proposes and runs trials, and the ledger says whose is which."""

from __future__ import annotations

import json
import os
import signal as _signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

from framework.core.errors import Interrupted
from framework.sweep.prepared import Request

_OWN = ("sweep.dir", "hydra.sweep.dir", "sweep.workers", "sweep.batch")
_POLL_S = 0.2


def run_workers(
    request: Request,
    folder: Path,
    count: int,
    batch: int,
    stop: Callable[[], str | None],
    tell: Callable[[str], None],
    look: Callable[[], None] = lambda: None,
) -> None:
    """Start processes on a sweep and wait until all have ended.

    A process that dies keeps nothing from being finished: whoever looks at the ledger next takes up what it left.

    Args:
      batch: how many trials each proposes at once.
      stop: gives the name of a signal that asked to stop.
      tell: is told of processes that failed.
      look: is called now and then while they run.

    Raises:
      Interrupted: a signal asked to stop; the processes have saved their trials.
    """
    logs = folder / "workers"
    logs.mkdir(parents=True, exist_ok=True)
    running: dict[int, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}
    for number in range(count):
        file = (logs / f"{number}.log").open("ab")
        running[number] = (_started(of_worker(request, folder, batch), file), file)
    asked: str | None = None
    while running:
        time.sleep(_POLL_S)
        look()
        if asked is None and (asked := stop()) is not None:
            for process, _ in running.values():
                process.send_signal(_signal.Signals[asked])
        for number, (process, file) in list(running.items()):
            if process.poll() is not None:
                file.close()
                del running[number]
                if process.returncode and asked is None:
                    tell(f"worker {number} ended with {process.returncode} ({logs / f'{number}.log'})")
    if asked is not None:
        raise Interrupted(f"{asked}: stopped", _signal.Signals[asked])


def of_worker(request: Request, folder: Path, batch: int) -> Request:
    """The request of one of several processes."""
    kept = [text for text in request.overrides if text.partition("=")[0].lstrip("+") not in _OWN]
    own = [f"sweep.dir='{folder.absolute()}'", "sweep.workers=1", f"sweep.batch={batch}"]
    return replace(request, overrides=(*kept, *own))


def _started(request: Request, log: IO[bytes]) -> subprocess.Popen[bytes]:
    plain = {**asdict(request), "config_dirs": [str(path) for path in request.config_dirs]}
    command = [sys.executable, "-m", "framework.sweep.search.worker", json.dumps(plain)]
    # In a session of its own: a signal from the keyboard reaches the first process alone, which hands it on once.
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=os.environ
    )


def read(arguments: Sequence[str]) -> Request:
    """The request in a worker's command line."""
    (text,) = arguments
    plain = json.loads(text)
    lists = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    return Request(**{**plain, **lists})
