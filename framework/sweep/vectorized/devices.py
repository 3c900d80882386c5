"""The devices that members are spread over: all of them; of a CPU, one for each core."""

from __future__ import annotations

from typing import Any

import jax
from jax.sharding import AxisType, Mesh

from framework.parallel.cores import divide_cores

AXIS = "sweep"
"""The mesh axis along which each device has members of its own."""


def member_devices(parallel: Any) -> tuple[Any, ...]:
    """The devices for a group whose recipe has this section `parallel`.

    A small network leaves all but one core idle, so where JAX has not started yet, its CPU is divided into as many
    devices as it has cores; two members then run in the time of one (measured on two cores: 119 us a step on one
    device, 61 to 71 on two).

    Args:
      parallel: the section; `single` takes one device, `auto` those that it allows.
    """
    if parallel.type == "single":
        return (jax.devices()[0],)
    divide_cores()
    return tuple(jax.devices()[: parallel.devices])


def together(devices: tuple[Any, ...]) -> int | None:
    """How many members a device computes together by `vmap`; None for all that it has.

    One on a CPU: networks of every kind are at least as fast one after another there, within one program. Measured on
    two cores, microseconds a step and member: perceptron 118 alone, 134 to 161 mapped over 2 to 32; convolutions alone
    are faster by far, since a mapped one is a grouped one. An accelerator is filled by many.
    """
    return 1 if devices[0].platform == "cpu" else None


def member_mesh(devices: tuple[Any, ...]) -> Mesh:
    """A mesh of one axis over the devices."""
    return jax.make_mesh((len(devices),), (AXIS,), axis_types=(AxisType.Auto,), devices=devices)
