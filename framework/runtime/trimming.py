"""Hands memory back to the system that compiling took and freed.

Where freed memory stays with the process (see `allocator.py`), what the compiler took would stay beside what the steps
take, since the pieces do not fit: 240 MiB of 880 for a transformer of 0.8 million numbers.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

import jax

_COMPILED = "/jax/core/compile/backend_compile_duration"
_IDLE_BYTES = 64 << 20
"""Less is not worth the tenth of a second that the kernel takes."""
_LEAN_IDLE_BYTES = 8 << 20
_INFO = ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"]


class _Info(ctypes.Structure):
    """`struct mallinfo2` of <malloc.h>."""

    _fields_ = [(name, ctypes.c_size_t) for name in _INFO]


class Trimming:
    """Gives idle memory back after each compilation that left more of it than there was.

    Attributes:
      least: bytes that are worth it.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self._library.mallinfo2.restype = _Info
        self._idle = 0
        self.least = _IDLE_BYTES

    def __call__(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        """What JAX calls with each duration that it measures."""
        del duration_secs, kwargs
        if event == _COMPILED:
            self.trim()

    def trim(self) -> bool:
        """Give back what is free, if that is `least` more than was given back before; whether it was."""
        idle = self._library.mallinfo2().fordblks
        if idle - self._idle < self.least:
            return False
        self._library.malloc_trim(0)
        # What was given back counts as free for ever.
        self._idle = idle
        return True


@cache
def trimming() -> Trimming | None:
    """That of this process, told of each compilation from now on; None without glibc 2.33 or later.

    Source: mallinfo(3), malloc_trim(3).
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        made = Trimming(ctypes.CDLL(None))
    except (OSError, AttributeError):  # another C library, or an older one
        return None
    jax.monitoring.register_event_duration_secs_listener(made)
    return made


def trim_after_compiling(*, lean: bool) -> None:
    """From now on give memory back after each compilation; `lean`: already where a little of it is free."""
    found = trimming()
    if found is not None and lean:
        found.least = _LEAN_IDLE_BYTES
