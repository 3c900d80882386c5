"""Whether a recipe's layout and batch can be divided among the processes, told before any of them starts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from framework.core.axes import filled, uneven_batch
from framework.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from framework.config.compose.loaded import Loaded
    from framework.config.schema.parallel import Layout


def require_divisible(loaded: Loaded, processes: int, devices_of_each: int | None) -> None:
    """Refuse what several processes cannot share.

    Args:
      loaded: the recipe.
      processes: how many.
      devices_of_each: how many devices each of them has, where that is known.

    Raises:
      ConfigError: the layout is for one device, wants another number of devices, or does not divide the batch.
    """
    layout, batch = loaded.config.parallel, loaded.config.data.batch_size
    if processes == 1:
        return
    if layout.type == "single":
        raise _located(loaded, _alone(processes))
    devices = processes * devices_of_each if devices_of_each is not None else None
    asked = getattr(layout, "devices", None)
    if asked is not None and (asked % processes if devices is None else asked != devices):
        raise _located(loaded, _other_devices(asked, processes, devices_of_each))
    try:
        parts = _parts(layout, processes, devices)
    except ConfigError as error:
        raise error.located(loaded.origins, loaded.subject) from None
    if batch % parts:
        raise _located(loaded, uneven_batch(batch, parts))


def _parts(layout: Layout, processes: int, devices: int | None) -> int:
    """Among how many a batch is divided at least."""
    if devices is None:
        return processes if layout.type in ("auto", "pmap", "data", "fsdp") else 1
    if layout.type == "auto":
        return processes  # it may leave devices out, but no process
    sizes = filled(layout.sizes(), devices, said="are launched")
    return math.prod(sizes[axis] for axis in layout.rows)


def _located(loaded: Loaded, problem: Problem) -> ConfigError:
    return ConfigError(problem).located(loaded.origins, loaded.subject)


def _alone(processes: int) -> Problem:
    return Problem(
        "parallel.type",
        f"single is a layout of one device, but {processes} processes are launched",
        expected="a layout of several devices: auto, pmap, data, fsdp, tensor, mesh",
        fix="parallel=data",
        suspects=("parallel",),
    )


def _other_devices(asked: int, processes: int, each: int | None) -> Problem:
    have = f"{processes} processes with {each} device{'s' * (each != 1)} each" if each else f"{processes} processes"
    total = processes * (each or 1)
    return Problem(
        "parallel.devices",
        f"{asked}, but {have} are launched",
        expected=f"{total} devices in all" if each else f"a multiple of {processes}",
        fix=f"parallel.devices={total}, or leave it out",
    )
