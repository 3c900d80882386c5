"""Which smaller mesh tells of one that is too large to compile.

One axis is made smaller, and the batch with it, so that each device keeps as many rows. Of a mesh of several axes that
is `data`, which divides nothing but the batch; its new size has no factor in common with those of the other axes, so
that a group of devices reaches along `data` exactly where its own size is a multiple of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.core.axes import REST, filled
from framework.core.errors import Problem

LARGEST = 2048
"""Devices that XLA simulates in one process at most; it takes those beyond for another process's (jaxlib 0.10.2)."""

SMALLER = 8
"""Devices of the mesh that stands in for one of a single axis."""

COPIES = (3, 5, 7, 11)
"""Sizes of `data` in a mesh that stands in for one of several axes."""


@dataclass(frozen=True)
class StandIn:
    """A smaller mesh.

    Attributes:
      axis: the one that is smaller.
      size: its size here.
      whole: its size in the mesh that is asked for.
      axes: all axes of the smaller mesh, axis -> size.
      rows: of a batch.
    """

    axis: str
    size: int
    whole: int
    axes: Mapping[str, int]
    rows: int

    @property
    def devices(self) -> int:
        """How many it has."""
        return math.prod(self.axes.values())

    @property
    def whole_axes(self) -> dict[str, int]:
        """The axes of the mesh that is asked for."""
        return {**self.axes, self.axis: self.whole}

    @property
    def words(self) -> tuple[str, ...]:
        """Overrides that make the smaller mesh out of the larger one."""
        several = len(self.axes) > 1
        sizes = (f"parallel.axes.{axis}={size}" for axis, size in self.axes.items())
        return (f"data.batch_size={self.rows}", f"parallel.devices={self.devices}", *(sizes if several else ()))

    def group(self, size: int) -> int:
        """How many devices a group has in the larger mesh that here has `size`."""
        return size // self.size * self.whole if size % self.size == 0 else size


def smaller(parallel: Any, devices: int, batch_size: int) -> StandIn | None:
    """The mesh that stands in for `devices` in the layout of the section `parallel`, or None where none can."""
    if parallel.type in ("pmap", "data", "fsdp"):
        axis = "fsdp" if parallel.type == "fsdp" else "data"
        if devices <= SMALLER or batch_size % devices:
            return None
        return StandIn(axis, SMALLER, devices, {axis: SMALLER}, batch_size // devices * SMALLER)
    if parallel.type != "mesh":
        return None
    sizes = filled(parallel.sizes(), devices)
    size = _copies(sizes["fsdp"] * sizes["tensor"])
    if size is None or size >= sizes["data"] or batch_size % (sizes["data"] * sizes["fsdp"]):
        return None
    return StandIn("data", size, sizes["data"], {**sizes, "data": size}, batch_size // sizes["data"] * size)


def _copies(others: int) -> int | None:
    """The size of `data` beside axes that have `others` devices together; None where all are too many."""
    size = next((size for size in COPIES if math.gcd(size, others) == 1), None)
    return None if size is None or size * others > LARGEST else size


def too_many(parallel: Any, devices: int, batch_size: int) -> Problem:
    """What to tell of more devices than are simulated, where no smaller mesh stands in for them."""
    sizes = filled(parallel.sizes(), devices) if parallel.type in ("tensor", "mesh") else {}
    parts = " x ".join(f"{axis} {size}" for axis, size in sizes.items() if axis != "data" and size > 1)
    reason = f", and a smaller mesh tells of more copies alone, each of which is {parts} here" if parts else ""
    axes = _fitting(sizes, devices, batch_size) if sizes else None
    fix = f"parallel.devices={LARGEST}"
    if axes is not None:
        inner = ", ".join(f"{axis}: {size}" for axis, size in {**axes, "data": REST}.items())
        fix = f"{'parallel=mesh ' if parallel.type == 'tensor' else ''}'parallel.axes={{{inner}}}', or {fix}"
    elif parallel.type == "auto":
        fix = f"parallel=fsdp or parallel=data, or {fix}"
    return Problem(
        "parallel.devices",
        f"{devices} devices, of which XLA simulates at most {LARGEST}{reason}",
        f"at most {LARGEST}; more for parallel=data, pmap, fsdp, or a mesh of several copies of at most "
        f"{LARGEST // COPIES[0]} devices",
        fix=fix,
    )


def _fitting(sizes: Mapping[str, int], devices: int, batch_size: int) -> dict[str, int] | None:
    """Axes of as many devices of which a smaller mesh tells, near to those that are asked for."""
    several = len(sizes) > 1
    for tensor in sorted(_divisors(sizes["tensor"]), reverse=several):
        for fsdp in sorted(_divisors(sizes.get("fsdp", 1)), reverse=True):
            copies, data = _copies(fsdp * tensor), devices // (fsdp * tensor)
            divides = batch_size % (data * fsdp) == 0 and (several or tensor > 1)
            if copies is not None and copies < data and divides:
                return {"data": data, "fsdp": fsdp, "tensor": tensor}
    return None


def _divisors(number: int) -> list[int]:
    return [size for size in range(1, number + 1) if number % size == 0]
