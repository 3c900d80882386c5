"""What `parallel=auto` decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from framework.core.trees import nbytes

EASY_SHARE = 0.25
"""A state with its gradients fits easily where it takes at most this share of a device's memory."""


def automatic(devices: int, batch_size: int, shapes: Callable[[], Any]) -> tuple[str, int, str]:
    """One device: single. Several: data where the state fits easily, else fsdp, on as many as divide the batch.

    Returns:
      The layout, the number of devices, and what to say about devices that are left out, or nothing.
    """
    count = max(number for number in range(1, devices + 1) if batch_size % number == 0)
    remark = ""
    if count < devices:
        whole = -(-batch_size // devices) * devices
        remark = (
            f"parallel.type: auto uses {count} of {devices} devices, because a batch of {batch_size} cannot be divided "
            f"among more; data.batch_size={whole} would use all"
        )
    if count == 1:
        return "single", 1, remark
    state = shapes()
    return layout(nbytes(state) + nbytes(state.params), device_memory()), count, remark


def layout(needed: int, memory: int | None) -> str:
    """`data`, or `fsdp` where a whole state with its gradients would crowd a device.

    Args:
      needed: bytes of both.
      memory: bytes of a device; None where it does not tell.
    """
    return "data" if memory is None or needed <= EASY_SHARE * memory else "fsdp"


def device_memory() -> int | None:
    """The memory of the first device in bytes, where it tells (a CPU does not)."""
    return (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
