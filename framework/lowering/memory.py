"""How much memory the device has that programs run on."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import jax

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def memory_bytes() -> int:
    """The memory of the first device, in bytes: that of a GPU, or of the machine as far as this process may use it.

    It is how much there is, not how much is free.
    """
    device = jax.local_devices()[0]
    told = None if device.platform == "cpu" else device.memory_stats()
    if told and "bytes_limit" in told:
        return int(told["bytes_limit"])
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_limits()])


def _limits() -> list[int]:
    """What the container allows, where it allows less than there is."""
    found = []
    for name in _LIMITS:
        try:
            text = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue  # another version of control groups, or none
        if text.isdigit():
            found.append(int(text))
    return found
