"""Keeps the memory of a step mapped between steps.

XLA's CPU client allocates the temporary buffers of a program at every execution. By default glibc maps memory of that
size anew and unmaps it afterwards, so that the kernel clears every page again: thousands of page faults a step.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

from framework.core.errors import ConfigError, Problem

VARIABLE = "FW_ALLOCATOR"

# The numbers of <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 1 << 30


@cache
def keep_memory(*, lean: bool = False) -> bool:
    """Let the C library keep up to 1 GiB of freed memory instead of giving it back at once.

    It must be called before JAX starts its threads, each of which would get a heap of its own; the process then holds
    on to as much memory as its largest moment took, for good: a process that trained one recipe so keeps memory for a
    lean one too.

    Args:
      lean: memory counts more than speed, so it is left as it is. `FW_ALLOCATOR=system` leaves it for every recipe, and
        `FW_ALLOCATOR=keep` for none.

    Returns:
      Whether it was done: on Linux with glibc, where the user has not set glibc's own variables.

    Raises:
      ConfigError: `FW_ALLOCATOR` is another word.
    Source: mallopt(3).
    """
    if not _wanted(lean) or not sys.platform.startswith("linux"):
        return False
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    done = [mallopt(_MMAP_THRESHOLD, _KEPT_BYTES), mallopt(_TRIM_THRESHOLD, _KEPT_BYTES), mallopt(_ARENA_MAX, 1)]
    return all(done)


def _wanted(lean: bool) -> bool:
    asked = os.environ.get(VARIABLE, "")
    if asked not in ("", "keep", "system"):
        found, expected = f"unknown value '{asked}'", "keep, system, or nothing"
        raise ConfigError(Problem(VARIABLE, found, expected, "the environment", fix=f"{VARIABLE}=system"))
    return asked == "keep" if asked else not lean
