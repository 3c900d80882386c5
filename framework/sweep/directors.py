"""Directors of a sweep: one that keeps the ledger, one that writes each trial's log, and several as one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from framework.sweep.ledger import Ledger
from framework.sweep.members import Director, Ending, Member, Verdict
from framework.sweep.outcome import objectives, reason
from framework.sweep.owner import HEARTBEAT_S

LOG = "log.txt"


class Watcher:
    """A director who decides nothing; a base for those who only look."""

    def started(self, numbers: Sequence[int]) -> None:
        """Nothing."""

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        """Nothing."""

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """All go on."""
        return {}

    def ended(self, number: int, ending: Ending) -> None:
        """Nothing."""

    def stop_requested(self) -> str | None:
        """Nobody asked."""
        return None


class Directors(Watcher):
    """Several directors as one: all are told, and the first verdict on a member stands."""

    def __init__(self, directors: Sequence[Director]) -> None:
        self.directors = tuple(directors)

    def started(self, numbers: Sequence[int]) -> None:
        """Tell all."""
        for director in self.directors:
            director.started(numbers)

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        """Tell all."""
        for director in self.directors:
            director.record(number, record)

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """The first verdict of each member."""
        verdicts: dict[int, Verdict] = {}
        for director in self.directors:
            verdicts = {**director.review(step, values), **verdicts}
        return verdicts

    def ended(self, number: int, ending: Ending) -> None:
        """Tell all."""
        for director in self.directors:
            director.ended(number, ending)

    def stop_requested(self) -> str | None:
        """The first signal that one of them knows of."""
        return next((signal for director in self.directors if (signal := director.stop_requested())), None)


class LedgerKeeper(Watcher):
    """Writes to the ledger when trials begin and end."""

    def __init__(self, ledger: Ledger, objectives: tuple[str, ...]) -> None:
        self._ledger = ledger
        self._objectives = objectives

    def started(self, numbers: Sequence[int]) -> None:
        """Count the attempt."""
        self._ledger.start(numbers)

    def ended(self, number: int, ending: Ending) -> None:
        """Keep the ending."""
        self._ledger.end(number, ending, objectives(ending.metrics, self._objectives))


class TrialLogs(Watcher):
    """Writes how each trial ended to the log in its folder, with the traceback of one that failed."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}
        self._since: dict[int, datetime] = {}

    def expect(self, members: Sequence[Member]) -> None:
        """These members are about to run."""
        for member in members:
            self._members[member.number] = member
            log = member.path / LOG
            # A folder that holds a log but no recipe is of a trial that failed before its run began; a run directory
            # must be new, empty or a run.
            if log.exists() and not (member.path / "config.yaml").exists():
                log.unlink()

    def started(self, numbers: Sequence[int]) -> None:
        """Remember when."""
        self._since |= dict.fromkeys(numbers, datetime.now())

    def ended(self, number: int, ending: Ending) -> None:
        """Append to the log."""
        member = self._members[number]
        since, now = self._since.get(number), datetime.now()
        lines = [
            f"trial {number}: {' '.join(member.loaded.overrides)}",
            f"started {since:%Y-%m-%d %H:%M:%S}" if since else "not started",
            f"ended   {now:%Y-%m-%d %H:%M:%S}, {ending.status}, {ending.seconds:.3f} s",
            *(f"{name} = {value!r}" for name, value in ending.metrics.items()),
            *([ending.error.rstrip()] if ending.error else []),
        ]
        member.path.mkdir(parents=True, exist_ok=True)
        with (member.path / LOG).open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n\n")


class Signals(Watcher):
    """Hands a signal on to the engine."""

    def __init__(self, received: Callable[[], str | None]) -> None:
        self._received = received

    def stop_requested(self) -> str | None:
        """The signal's name."""
        return self._received()


class Failures(Watcher):
    """Counts trials that failed, and says each in a line."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._folders: dict[int, Path] = {}
        self.numbers: list[int] = []

    def expect(self, members: Sequence[Member]) -> None:
        """These members are about to run."""
        self._folders |= {member.number: member.path for member in members}

    def ended(self, number: int, ending: Ending) -> None:
        """Say what became of a trial that is not done."""
        if ending.status in ("done", "pruned"):
            return
        if ending.status != "non_finite":
            self.numbers.append(number)
        words, why = ending.status.replace("_", " "), reason(ending.error)
        self._tell(f"trial {number}: {words}{': ' + why if why else ''} ({self._folders[number] / LOG})")


class Heartbeat:
    """A context in which the ledger is told every ten seconds that this process is alive."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_S):
            self._ledger.beat()
