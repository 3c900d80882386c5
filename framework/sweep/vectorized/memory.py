"""How many members fit the memory, and what running out of it looks like."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import jax

from framework.core.trees import nbytes

SHARE = 0.5
"""Of the memory that is free, states of members take at most so much; the rest is for activations and results."""

COPIES = 3
"""A member's state, its best state, and one of them in passing (a save, or a change of places)."""

_WORDS = ("RESOURCE_EXHAUSTED", "Out of memory")
"""XLA's status, and what is left of it where a computation on the CPU fails after it was begun: "INTERNAL: Error
dispatching computation: Out of memory allocating 32000000 bytes" (jaxlib 0.10)."""


def fitting(state: Any, devices: Sequence[Any]) -> int:
    """How many members fit all devices by their states alone; at least one.

    Args:
      state: the abstract state of one.
    """
    return max(1, int(SHARE * _free(devices) / max(1, COPIES * nbytes(state))))


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, jax.errors.JaxRuntimeError) and any(words in str(error) for words in _WORDS)


def _free(devices: Sequence[Any]) -> int:
    stats = devices[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return len(devices) * (stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    # A CPU tells nothing; its devices share the machine's memory.
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
