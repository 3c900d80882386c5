"""What a worker does: sees that it shares the sweep's folder, runs its members, and tells the driver.

JAX is loaded here for the first time; a driver never loads it.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from framework.core.errors import ConfigError, Interrupted, RunError
from framework.sweep.engines.cores import limit_cores
from framework.sweep.engines.pulse import PERIOD_S, Listener
from framework.sweep.engines.remote_director import RemoteDirector
from framework.sweep.engines.units import Unit
from framework.sweep.members import Director

TOKEN = "token"
_POLL_S = 0.1


@dataclass(eq=False)
class Work:
    """One unit of work, as it is sent to a worker.

    Attributes:
      members: to run.
      mail: folder of its letters, below the driver's own folder in the sweep's.
      token: what the driver wrote into its folder.
      cwd: where the driver stands, as paths in recipes may be relative.
      paths: where the driver looks for modules.
      cores: of a CPU; None: all that the process may use.
      decides: whether the driver decides about members on their way.
      population: members take over each other's states.
      lost_after_s: without a sign of the driver for so long, members are saved and the worker ends.
      grace_s: how long a worker that is asked to leave has for saving its members.
    """

    members: Unit
    mail: Path
    token: str
    cwd: str
    paths: tuple[str, ...]
    cores: int | None
    decides: bool
    population: bool
    lost_after_s: float
    grace_s: float

    def __call__(self) -> str | None:
        """Run; returns why nothing could be done, where not even the driver's letters can be reached."""
        words = _unseen(self.mail.parent, self.token)
        if words is not None:
            return words
        os.chdir(self.cwd)
        sys.path += [path for path in self.paths if path not in sys.path]
        if self.cores is not None:
            limit_cores(self.cores)
        # The engine has a thread of its own: signals reach the main one, which must be free to wait for it there.
        thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._running = thread
        thread.start()
        while thread.is_alive():
            thread.join(_POLL_S)
        return None

    def checkpoint(self) -> Any:
        """Save the members and say what is to run in this one's place; submitit calls it before a preemption.

        Source: submitit, docs/checkpointing.md.
        """
        from submitit.helpers import DelayedSubmission

        # A job that is preempted while it starts has no members to save yet.
        if (director := vars(self).get("_director")) is not None:
            director.stop("SIGTERM")
            self._running.join(self.grace_s)
        return DelayedSubmission(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_running", "_director")}

    def _run(self) -> None:
        from framework.sweep.together import run_together

        listener = Listener(self.mail.parent, self.lost_after_s)
        with RemoteDirector(self.mail, listener, decides=self.decides) as director:
            self._director = director
            director.post({"hello": {"host": socket.gethostname(), "pid": os.getpid()}})
            _await_driver(director, listener)
            try:
                if director.stop_requested() is None:
                    _await_folders(self.members, director, self.lost_after_s)
                    run_together(
                        self.members,
                        director,
                        population=self.population,
                        tell=lambda line: director.post({"said": line}),
                    )
                over = {"kind": "done"}
            except Interrupted as stopped:
                over = {"kind": "stopped", "text": str(stopped)}
            except ConfigError as error:
                problems = [asdict(problem) for problem in error.problems]
                over = {"kind": "refused", "problems": problems, "subject": error.subject, "text": str(error)}
            except RunError as error:
                over = {"kind": "unusable", "text": str(error)}
            except BaseException:
                over = {"kind": "failed", "text": traceback.format_exc()}
            director.post({"over": over})


def _unseen(folder: Path, token: str) -> str | None:
    try:
        found = (folder / TOKEN).read_text(encoding="utf-8")
    except OSError as error:
        found = error.strerror or str(error)
    if found == token:
        return None
    return f"the worker on {socket.gethostname()} does not see {folder} ({found or 'another folder'})"


def _await_driver(director: RemoteDirector, listener: Listener) -> None:
    """A job that waited in a queue may begin when its driver is long gone."""
    while not listener.heard and director.stop_requested() is None:
        time.sleep(PERIOD_S / 5)
        if listener.lost:
            director.stop("SIGTERM")


def _await_folders(members: Unit, director: Director, lost_after_s: float) -> None:
    """Workers of a driver that died may still be saving the same members: wait until they have ended."""
    from framework.train.lock import FILE, RunLock

    until = time.monotonic() + lost_after_s + 10.0
    for member in members:
        while (member.path / FILE).exists() and director.stop_requested() is None:
            try:
                RunLock(member.path).release()
                break
            except RunError:
                if time.monotonic() > until:
                    raise
                time.sleep(_POLL_S)
