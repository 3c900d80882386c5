"""A CPU as one device for each of its cores, for work that falls into independent parts.

The devices share the same cores, so a single run gains nothing from them: `parallel=auto` keeps to one.
"""

from __future__ import annotations

import os

import jax

_FORCED = "xla_force_host_platform_device_count"
_divided = False


def divide_cores() -> None:
    """Make as many CPU devices as there are cores, unless JAX has started or somebody has set their number."""
    global _divided
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    chosen = jax.config.jax_num_cpu_devices != -1  # pyright: ignore[reportAttributeAccessIssue]
    if cores < 2 or chosen or _FORCED in os.environ.get("XLA_FLAGS", ""):
        return
    try:
        jax.config.update("jax_num_cpu_devices", cores)
        _divided = True
    except RuntimeError:
        return  # JAX has started, and its devices stay as they are


def divided() -> bool:
    """Whether the CPU devices are cores of one machine, made by `divide_cores`."""
    return _divided and jax.devices()[0].platform == "cpu"
