"""From the section `parallel` to a strategy."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from framework.core.axes import counted, filled, uneven_batch
from framework.core.errors import ConfigError, Problem
from framework.core.trees import named_leaves
from framework.parallel import mapped
from framework.parallel.automatic import automatic
from framework.parallel.cached import compile_afresh
from framework.parallel.division import Divided, divide
from framework.parallel.rules import parsed
from framework.parallel.sharded import Sharded, make_mesh, row_parts
from framework.parallel.single import Single
from framework.parallel.strategy import Strategy


class LayoutWarning(UserWarning):
    """Something of a layout was asked for and cannot be had; the run goes on without."""


def choose(
    parallel: Any,
    shapes: Callable[[], Any],
    *,
    batch_size: int,
    stacked: Callable[[], Mapping[str, int]],
    options: Mapping[str, Any] | None = None,
) -> Strategy:
    """The strategy that a recipe's `parallel` section names, on the devices that are present.

    Args:
      parallel: the section.
      shapes: gives the abstract state; asked for only where the layout depends on it.
      batch_size: of training.
      stacked: gives the dimensions that count copies of a layer (see `divide`).
      options: of XLA's compiler.

    Raises:
      ConfigError: there are too few devices, a batch or a parameter does not divide.
    """
    options = dict(options or {})
    if parallel.type == "single":
        return Single.default(options)
    present = jax.devices()
    processes = len({device.process_index for device in present})
    kind, axes = resolved(parallel, len(present), shapes, batch_size=batch_size, processes=processes)
    if kind == "single":
        return Single.default(options)
    if not jax.config.jax_threefry_partitionable:  # pyright: ignore[reportAttributeAccessIssue]
        # Without it, what is drawn would depend on how the drawn array is divided.
        raise ConfigError(
            Problem(
                key="parallel.type",
                found="JAX's jax_threefry_partitionable is off, so dropout would differ from layout to layout",
                expected="JAX's default",
                fix="unset JAX_THREEFRY_PARTITIONABLE",
            )
        )
    count = math.prod(axes.values())
    parts = row_parts(axes)
    if batch_size % parts:
        raise ConfigError(uneven_batch(batch_size, parts))
    chosen = taken(present, count)
    compile_afresh(chosen)
    if kind == "pmap":
        if options and len(chosen) > 1:
            raise ConfigError(
                Problem(
                    key="trainer.compile",
                    found="jax.pmap compiles with XLA's own settings alone",
                    expected="balanced",
                    fix="trainer.compile=balanced, or parallel=data, which divides the work in the same way",
                )
            )
        return mapped.layout(chosen, shapes(), options)
    divided = division(parallel, shapes(), axes, stacked())
    for text in divided.warnings:
        warnings.warn(text, LayoutWarning, stacklevel=2)
    return Sharded(kind, make_mesh(axes, chosen), divided, shapes(), options)


def taken(present: Sequence[Any], count: int) -> list[Any]:
    """The first devices; of several processes, as many of each.

    Raises:
      ConfigError: the number cannot be divided among the processes.
    """
    own: dict[int, list[Any]] = {}
    for device in present:
        own.setdefault(device.process_index, []).append(device)
    if count % len(own):
        fitting = max(len(own), count - count % len(own))
        raise ConfigError(
            Problem(
                key="parallel.devices",
                found=f"{counted(count)} cannot be divided among {len(own)} processes",
                expected=f"a multiple of {len(own)}, so that each process takes part with as many",
                fix=f"parallel.devices={fitting}",
                suspects=("parallel.axes",),
            )
        )
    return [device for devices in own.values() for device in devices[: count // len(own)]]


def resolved(
    parallel: Any,
    present: int,
    shapes: Callable[[], Any],
    *,
    batch_size: int,
    needed: bool = True,
    processes: int = 1,
) -> tuple[str, dict[str, int]]:
    """The layout (`auto` decided) and the sizes of its axes.

    Args:
      present: how many devices there are.
      needed: whether devices that are asked for must be present.
      processes: how many processes share the devices.

    Raises:
      ConfigError: they are not, or the axes do not multiply out.
    """
    asked = None if parallel.type == "single" else parallel.devices
    if asked is not None and asked > present and needed:
        raise ConfigError(
            Problem(
                key="parallel.devices",
                found=f"{counted(asked)} are asked for, {present} {'is' if present == 1 else 'are'} present",
                expected=f"at most {present}",
                fix=f"parallel.devices={present}, or to try it out on the CPU "
                f"XLA_FLAGS=--xla_force_host_platform_device_count={asked} JAX_PLATFORMS=cpu",
            )
        )
    devices = asked or present
    if parallel.type == "auto":
        kind, count, remark = automatic(devices, batch_size, shapes, processes)
        if remark:
            warnings.warn(remark, LayoutWarning, stacklevel=3)
        return kind, {kind: count}
    if parallel.type == "single":
        return "single", {}
    sizes = parallel.sizes()
    fixed = -1 not in sizes.values()
    if not needed and asked is None and fixed:
        return parallel.type, sizes
    return parallel.type, filled(sizes, devices, said="are asked for" if asked else "are present")


def division(parallel: Any, shapes: Any, axes: Mapping[str, int], stacked: Mapping[str, int]) -> Divided:
    """How the state is divided over axes of these sizes."""
    return divide(
        named_leaves(shapes),
        axes,
        rules=parsed(parallel.rules) if parallel.type in ("tensor", "mesh") else (),
        min_size=parallel.min_size if parallel.type in ("fsdp", "mesh") else 1024,
        stacked=stacked,
    )
