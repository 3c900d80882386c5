"""What `parallel=auto` decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from framework.core.axes import uneven_batch
from framework.core.errors import ConfigError
from framework.core.trees import nbytes
from framework.parallel.cores import divided

EASY_SHARE = 0.25
"""A state with its gradients fits easily where it takes at most this share of a device's memory."""


def automatic(devices: int, batch_size: int, shapes: Callable[[], Any], processes: int = 1) -> tuple[str, int, str]:
    """One device: single. Several: data where the state fits easily, else fsdp, on as many as divide the batch.

    Of several processes each takes part with as many devices as the others.

    Raises:
      ConfigError: the batch cannot be divided among the processes.

    Returns:
      The layout, the number of devices, and what to say about devices that are left out, or nothing.
    """
    if divided():
        return "single", 1, ""
    if batch_size % processes:
        raise ConfigError(uneven_batch(batch_size, processes))
    count = max(number for number in range(processes, devices + 1, processes) if batch_size % number == 0)
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
