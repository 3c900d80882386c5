"""The loop of a driver whose groups run elsewhere: starts units, hears their workers, and notices those that died."""

from __future__ import annotations

import os
import secrets
import signal as _signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from framework.core.errors import ConfigError, FrameworkError, Interrupted, Problem, RunError
from framework.sweep.engines.pulse import Pulse
from framework.sweep.engines.relay import Relay, decides
from framework.sweep.engines.units import Unit, cut
from framework.sweep.engines.work import TOKEN, Work
from framework.sweep.grouping import Group
from framework.sweep.members import Director

FOLDER = "engine"
_POLL_S = 0.05
_SLOW_FILES_S = 2.0
"""What a worker wrote last may come into sight after its scheduler says that it ended."""


class Job(Protocol):
    """A unit of work that an engine has."""

    def ended(self) -> str | None:
        """What the engine says of a job that ended, "" where that is nothing; None while it waits or runs."""
        ...

    def kill(self, process: int | None) -> None:
        """End it at once.

        Args:
          process: its worker's, if that said so.
        """


class Engine(Protocol):
    """Who starts workers.

    Attributes:
      name: as users know it.
      workers: how many units run at a time.
      most: members of a unit at most, or None.
      cores: that a worker may use, or None for all that its process may.
      lost_after_s: without a sign of the driver for so long a worker ends.
      grace_s: how long workers have for saving their members.
    """

    name: str
    workers: int
    most: int | None
    cores: int | None
    lost_after_s: float
    grace_s: float

    def start(self, work: Work, place: int) -> Job:
        """Start a worker in one of as many places as there are workers."""
        ...


@dataclass
class Active:
    """A unit that runs.

    Attributes:
      quiet_since: when its job was first seen to have ended without a word, by the monotonic clock.
    """

    relay: Relay
    job: Job
    quiet_since: float | None = None


class Pool:
    """Runs groups on an engine, as a session's own engine would run them here.

    Args:
      folder: of the sweep; every worker must see it.
      whole: no group is cut.
      leave: whether what has not begun is to be left.
      tell: says a line to whoever watches.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        whole: bool,
        leave: Callable[[], bool] = lambda: False,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._engine = engine
        self._folder = folder.absolute() / FOLDER / f"{time.strftime('%Y-%m-%d_%H-%M-%S')}-{os.getpid()}"
        self._token = secrets.token_hex(16)
        self._whole = whole
        self._leave = leave
        self._tell = tell
        self._units = 0
        self._ended_any = False

    def run(self, groups: Sequence[Group], director: Director) -> None:
        """Run groups to their ends.

        Raises:
          Interrupted: a signal asked to stop; the workers have saved their members.
          ConfigError: a recipe was refused before any trial began.
          RunError: a worker does not see the sweep's folder, or a run directory cannot be used.
        """
        units = cut(groups, self._engine.workers, whole=self._whole, most=self._engine.most)
        if not units:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / TOKEN).write_text(self._token, encoding="utf-8")
        trials = sum(map(len, units))
        self._tell(f"{self._engine.name}: {trials} trials in {len(units)} units, {self._engine.workers} at a time")
        active: dict[int, Active] = {}
        with Pulse(self._folder):
            try:
                self._loop(units, director, active)
            except BaseException:
                # Workers save their members before they end.
                self._close(active, "SIGTERM")
                raise

    def _loop(self, units: list[Unit], director: Director, active: dict[int, Active]) -> None:
        while units or active:
            signal = director.stop_requested()
            if signal is not None:
                self._close(active, signal)
                raise Interrupted(f"{signal}: stopped", _signal.Signals[signal])
            if self._leave():
                units.clear()
            for place in range(self._engine.workers):
                if place not in active and units:
                    active[place] = self._started(units.pop(0), place, director)
            time.sleep(_POLL_S)
            for place, found in list(active.items()):
                if self._over(found):
                    del active[place]

    def _started(self, unit: Unit, place: int, director: Director) -> Active:
        engine, self._units = self._engine, self._units + 1
        mail = self._folder / str(self._units)
        mail.mkdir()
        paths = tuple(path for path in sys.path if path)
        work = Work(
            unit,
            mail,
            self._token,
            str(Path.cwd()),
            paths,
            engine.cores,
            decides(director),
            self._whole,
            engine.lost_after_s,
            engine.grace_s,
        )
        return Active(Relay(unit, mail, director, self._tell), engine.start(work, place))

    def _over(self, found: Active) -> bool:
        """Whether a unit is over; what was left of it is told of."""
        relay = found.relay
        gone = found.job.ended()
        relay.pump()
        over = relay.over
        # A worker that stopped by itself was preempted: its job begins again, or ends.
        if over is not None and over["kind"] != "stopped":
            self._settle(relay, over)
            return True
        if gone is None:
            found.quiet_since = None
            return False
        if relay.worker is None and "does not see" in gone:
            found_words, expected = gone, "a folder on a file system that all machines share"
            raise RunError(Problem(str(self._folder.parent.parent), found_words, expected, fix="sweep.dir=PATH"))
        if found.quiet_since is None:
            found.quiet_since = time.monotonic()
        if time.monotonic() - found.quiet_since < _SLOW_FILES_S:
            return False
        self._lost(relay, gone, preempted=over is not None)
        return True

    def _settle(self, relay: Relay, over: dict[str, object]) -> None:
        kind, text = over["kind"], str(over.get("text", ""))
        if kind == "unusable":
            raise RunError(text)
        if kind == "refused" and not self._ended_any and not relay.started:
            problems: list[dict[str, object]] = over["problems"]  # type: ignore[assignment]
            raise ConfigError((Problem(**problem) for problem in problems), str(over["subject"]))  # type: ignore[arg-type]
        if text:
            relay.fail(text)
        self._ended_any = self._ended_any or bool(relay.ended)

    def _lost(self, relay: Relay, gone: str, *, preempted: bool) -> None:
        who = "process {1} on {0}".format(*relay.worker) if relay.worker else "before it began"
        what = "was preempted and not queued again" if preempted else "was lost"
        error = f"its worker {what}: {who}{f' ({gone})' if gone else ''}"
        self._tell(f"{self._engine.name}: {error}")
        relay.fail(error)
        self._ended_any = True

    def _close(self, active: dict[int, Active], signal: str) -> None:
        """Ask all workers to save their members, wait for them, and end those that do not answer."""
        until = time.monotonic() + self._engine.grace_s
        for found in active.values():
            found.relay.stop(signal)
            if found.relay.worker is None:
                found.job.kill(None)
        while active and time.monotonic() < until:
            time.sleep(_POLL_S)
            for place, found in list(active.items()):
                with suppress(FrameworkError):
                    found.relay.pump()
                if found.relay.over is not None or found.job.ended() is not None:
                    del active[place]
        for found in active.values():
            found.job.kill(found.relay.worker[1] if found.relay.worker else None)
