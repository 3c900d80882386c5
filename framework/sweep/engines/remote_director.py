"""The director that a worker's engine talks to: hands everything on to the driver, and waits for its verdicts."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from framework.sweep.directors import Watcher
from framework.sweep.engines.mail import IN, OUT, Lines, Note, Tail
from framework.sweep.engines.pulse import Listener
from framework.sweep.engines.wire import of_ending, to_verdicts
from framework.sweep.members import Ending, Verdict

_LOOK_S = 0.25
_ANSWER_S = 0.02
_FLUSH_S = 0.5


class RemoteDirector(Watcher):
    """A context in which the driver is heard.

    Args:
      mail: folder of the letters between this worker and the driver.
      listener: of the driver's pulse.
      decides: whether the driver has anything to say about members on their way; if not, nobody waits for it.
    """

    def __init__(self, mail: Path, listener: Listener, *, decides: bool) -> None:
        self._out = Lines(mail / OUT)
        self._in = Tail(mail / IN)
        self._listener = listener
        self._decides = decides
        self._own = uuid.uuid4().hex
        self._asked = 0
        self._answers: dict[str, dict[int, Verdict]] = {}
        self._stop: str | None = None
        self._records: list[Note] = []
        self._flushed = time.monotonic()
        self._reading = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="mail", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.post()

    def post(self, *notes: Mapping[str, Any]) -> None:
        """Send notes, behind the records that wait."""
        records, self._records = self._records, []
        self._flushed = time.monotonic()
        if records or notes:
            self._out.post(*records, *notes)

    def stop(self, signal: str) -> None:
        """Let the engine save its members and end."""
        self._stop = self._stop or signal

    def started(self, numbers: Sequence[int]) -> None:
        """Tell the driver."""
        self.post({"started": list(numbers)})

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        """Tell the driver, a few at a time."""
        self._records.append({"record": dict(record), "number": number})
        if time.monotonic() - self._flushed > _FLUSH_S:
            self.post()

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """Ask the driver and wait for its answer; without one nobody is stopped."""
        if not self._decides:
            return {}
        self._asked += 1
        name = f"{self._own}-{self._asked}"
        plain = {str(number): dict(found) for number, found in values.items()}
        self.post({"review": step, "values": plain, "id": name})
        while self.stop_requested() is None:
            self._take()
            if name in self._answers:
                return self._answers.pop(name)
            time.sleep(_ANSWER_S)
        return {}

    def ended(self, number: int, ending: Ending) -> None:
        """Tell the driver."""
        self.post({"ended": of_ending(ending), "number": number})

    def stop_requested(self) -> str | None:
        """The signal that the driver or this machine's scheduler gave."""
        return self._stop

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._take()
            if self._listener.lost:
                self.stop("SIGTERM")

    def _take(self) -> None:
        with self._reading:
            for note in self._in.read():
                if "stop" in note:
                    self.stop(str(note["stop"]))
                elif "verdicts" in note:
                    self._answers[note["id"]] = to_verdicts(note["verdicts"])
