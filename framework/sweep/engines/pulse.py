"""A file that changes while the driver of a sweep lives, so that workers of a dead one end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

FILE = "pulse"
PERIOD_S = 0.5


class Pulse:
    """A context in which the file changes twice a second."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._path.write_text("0", encoding="utf-8")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        count = 0
        while not self._over.wait(PERIOD_S):
            count += 1
            self._path.write_text(str(count), encoding="utf-8")


class Listener:
    """Watches a pulse by this machine's own clock: clocks of two machines need not agree.

    Args:
      lost_after_s: without a change for so long the driver counts as gone.
    """

    def __init__(self, folder: Path, lost_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._patience = lost_after_s
        self._last = self._text()
        self._since = clock()
        self.heard = False

    @property
    def lost(self) -> bool:
        """Whether the driver is gone."""
        text, now = self._text(), self._clock()
        # Half a write may be read, as an empty file; that is a change too.
        if text != self._last:
            self._last, self._since, self.heard = text, now, True
        return now - self._since > self._patience

    def _text(self) -> str | None:
        try:
            return self._path.read_text(encoding="utf-8")
        except OSError:
            return None
