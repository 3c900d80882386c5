"""The sizes of a mesh's axes: numbers whose product is the number of devices, one of them perhaps left open."""

from __future__ import annotations

import math
from collections.abc import Mapping

from framework.core.errors import ConfigError, Problem

REST = -1
"""The size of the one axis that takes all devices that the others leave."""


def filled(
    sizes: Mapping[str, int], devices: int, *, said: str = "are asked for", key: str = "parallel.axes"
) -> dict[str, int]:
    """The sizes with the open one filled in.

    Args:
      sizes: axis -> size, or -1 for what the others leave.
      devices: how many there are to share.
      said: how the error calls them, e.g. `are present`.
      key: what the error blames.

    Raises:
      ConfigError: two axes are open, or the sizes do not multiply out to the number of devices.
    """
    require_one_open(sizes, key=key)
    known = math.prod(size for size in sizes.values() if size != REST)
    open_axis = next((name for name, size in sizes.items() if size == REST), None)
    if open_axis is not None and devices % known == 0:
        return {name: devices // known if size == REST else size for name, size in sizes.items()}
    if open_axis is None and known == devices:
        return dict(sizes)
    raise ConfigError(
        Problem(
            key=key,
            found=f"{product(sizes)}, but {counted(devices)} {said if devices != 1 else said.replace('are', 'is', 1)}",
            expected=f"sizes whose product is {devices}",
            fix=_fix(sizes, devices),
            suspects=(f"{key.rpartition('.')[0]}.devices".lstrip("."), *(f"{key}.{name}" for name in sizes)),
        )
    )


def require_one_open(sizes: Mapping[str, int], *, key: str = "parallel.axes") -> None:
    """Raise a ConfigError where more than one axis is -1."""
    opened = [name for name, size in sizes.items() if size == REST]
    if len(opened) > 1:
        raise ConfigError(
            Problem(
                key=key,
                found=f"{' and '.join(opened)} are -1",
                expected="at most one -1: the axis that takes the devices which the others leave",
                fix=f"parallel.axes.{opened[1]}=1",
            )
        )


def product(sizes: Mapping[str, int]) -> str:
    """`data 2 x fsdp 4 = 8 devices`; of an open axis, what the others make."""
    named = " x ".join(f"{name} {size}" for name, size in sizes.items() if size not in (1, REST)) or "1"
    opened = next((name for name, size in sizes.items() if size == REST), None)
    total = math.prod(size for size in sizes.values() if size != REST)
    if opened is None:
        return f"{named} = {counted(total)}" if named != "1" else "every axis has size 1"
    return f"{opened} takes what {named} leaves"


def counted(devices: int) -> str:
    """`1 device`, `8 devices`."""
    return f"{devices} device{'' if devices == 1 else 's'}"


def _fix(sizes: Mapping[str, int], devices: int) -> str:
    """One size that makes the product right, or else another layout."""
    exact = REST not in sizes.values()
    for name, size in sizes.items():
        others = math.prod(other for key, other in sizes.items() if key != name and other != REST)
        fitting = [count for count in range(1, devices // others + 1) if devices % (others * count) == 0]
        if exact and others * (devices // others) == devices:
            return f"parallel.axes.{name}={devices // others}"
        if not exact and size > 1 and fitting:
            return f"parallel.axes.{name}={max((count for count in fitting if count < size), default=fitting[-1])}"
    return "parallel=auto"


def uneven_batch(batch_size: int, parts: int) -> Problem:
    """What to tell where a batch cannot be divided among so many devices."""
    near = max(parts, round(batch_size / parts) * parts)
    return Problem(
        key="data.batch_size",
        found=f"{batch_size} rows cannot be divided among {counted(parts)}: {batch_size} = "
        f"{batch_size // parts} x {parts} + {batch_size % parts}",
        expected=f"a multiple of {parts}",
        fix=f"data.batch_size={near}",
        suspects=("parallel.devices", "parallel.axes"),
    )
