"""Which smaller mesh tells of one that takes too long to compile."""

from __future__ import annotations

LARGEST = 2048
"""Devices that XLA simulates in one process at most; it takes those beyond for another process's (jaxlib 0.10.2)."""

SMALLER = 8
"""Devices of the mesh that stands in for a larger one."""

ONE_AXIS = ("pmap", "data", "fsdp")
"""The layouts for which this holds: each device has rows of its own, over one axis."""


def smaller(layout: str, devices: int, batch_size: int) -> tuple[int, int] | None:
    """Devices and rows of the mesh that stands in, or None where none can."""
    if layout not in ONE_AXIS or batch_size % devices or devices <= SMALLER:
        return None
    return SMALLER, batch_size // devices * SMALLER
