"""Memory that compiling freed goes back to the system, once."""

from __future__ import annotations

import ctypes
from pathlib import Path

import jax
import pytest

from framework.runtime.trimming import Trimming, trimming

pytestmark = pytest.mark.skipif(trimming() is None, reason="the C library is not glibc 2.33 or later")

PIECE_BYTES, PIECES = 64 << 10, 1600  # 100 MiB in pieces that are too small to be mapped alone


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) << 12


def leave_idle(library: ctypes.CDLL) -> int:
    """Free memory below a piece that stays, so that it stays with the process; the place of that piece."""
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    places = [library.malloc(PIECE_BYTES) for _ in range(PIECES)]
    for place in places:
        ctypes.memset(place, 1, PIECE_BYTES)
    for place in places[:-1]:
        library.free(place)
    return places[-1]


def test_idle_memory_is_given_back_once() -> None:
    library = ctypes.CDLL(None)
    made = Trimming(library)
    last = leave_idle(library)
    before = resident_bytes()
    assert made.trim()
    assert before - resident_bytes() > 64 << 20
    assert not made.trim()
    library.free(last)


def test_each_compilation_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    told = trimming()
    assert told is not None
    monkeypatch.setattr(told, "least", -(1 << 60))  # whatever is free is enough
    monkeypatch.setattr(told, "_idle", -1)
    jax.jit(lambda x: x * 3 + 1).lower(jax.numpy.ones(3)).compile()
    assert told._idle > 0
