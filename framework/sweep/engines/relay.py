"""The driver's end of a worker's letters: tells the director what happens, and sends its verdicts back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from framework.sweep.directors import Directors, Watcher
from framework.sweep.engines.mail import IN, OUT, Lines, Note, Tail
from framework.sweep.engines.units import Unit
from framework.sweep.engines.wire import of_verdicts, to_ending
from framework.sweep.members import Director, Ending


class Relay:
    """What is known of a unit that a worker has.

    Attributes:
      started: members that began; one that begins again after a preemption is told of once.
      ended: members that are over.
      over: how the unit ended, or None: `kind` and `text`, and of a recipe that was refused `problems` and `subject`.
      worker: host and process, or None before it said so.
    """

    def __init__(
        self, unit: Unit, mail: Path, director: Director, tell: Callable[[str], None] = lambda line: None
    ) -> None:
        self.unit = unit
        self._tell = tell
        self._out = Tail(mail / OUT)
        self._in = Lines(mail / IN)
        self._director = director
        self.started: set[int] = set()
        self.ended: set[int] = set()
        self.over: dict[str, Any] | None = None
        self.worker: tuple[str, int] | None = None

    def pump(self) -> None:
        """Take in what came since."""
        for note in self._out.read():
            self._take(note)

    def stop(self, signal: str) -> None:
        """Ask the worker to save its members and end."""
        self._in.post({"stop": signal})

    @property
    def unfinished(self) -> list[int]:
        """Members that are not over, the started ones; where none has, all."""
        left = [member.number for member in self.unit if member.number not in self.ended]
        return [number for number in left if number in self.started] or left

    def fail(self, error: str) -> None:
        """Let the members that a worker left unfinished fail; those that had not begun stay queued, if any had."""
        for number in self.unfinished:
            self._end(number, Ending("failed", {}, 0.0, error))

    def _take(self, note: Note) -> None:
        if "record" in note:
            self._director.record(note["number"], note["record"])
        elif "review" in note:
            values = {int(number): found for number, found in note["values"].items()}
            verdicts = self._director.review(note["review"], values)
            self._in.post({"verdicts": of_verdicts(verdicts), "id": note["id"]})
        elif "started" in note:
            new = [number for number in note["started"] if number not in self.started]
            self.started.update(new)
            if new:
                self._director.started(new)
        elif "ended" in note:
            self._end(note["number"], to_ending(note["ended"]))
        elif "said" in note:
            self._tell(note["said"])
        elif "hello" in note:
            self.worker = (note["hello"]["host"], note["hello"]["pid"])
            self.over = None  # it was preempted, and runs again
        elif "over" in note:
            self.over = note["over"]

    def _end(self, number: int, ending: Ending) -> None:
        if number not in self.ended:
            self.ended.add(number)
            self._director.ended(number, ending)


def decides(director: Director) -> bool:
    """Whether a director may have a verdict, so that workers must ask and wait."""
    if isinstance(director, Directors):
        return any(decides(other) for other in director.directors)
    review: Callable[..., Any] = getattr(type(director), "review", Watcher.review)
    return review is not Watcher.review
