"""SIGINT and SIGTERM as a flag that the loop looks at between dispatches, so that a run can save itself first."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """A context in which the first SIGINT or SIGTERM only raises a flag.

    A second SIGINT raises KeyboardInterrupt at once, for whoever does not want to wait. The old handlers are put back
    on leaving. Signals reach only the main thread of a process: in any other thread this does nothing.
    """

    def __init__(self) -> None:
        self._received: signal.Signals | None = None
        self._former: dict[signal.Signals, Any] = {}

    @property
    def received(self) -> str | None:
        """The name of the signal that asked to stop, such as `SIGTERM`, or None."""
        return self._received.name if self._received is not None else None

    def __bool__(self) -> bool:
        """Whether the run was asked to stop."""
        return self._received is not None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                former = signal.signal(number, self._handle)
                # None means that the handler was not set from Python and cannot be put back by it.
                self._former[number] = signal.SIG_DFL if former is None else former
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)
        self._former.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._received = signal.Signals(number)
