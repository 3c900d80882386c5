"""What follows from shapes alone, for a program that is too costly to compile for as many devices as are asked for.

The state is divided as `parallel.division` says. The rest is the program of a smaller mesh with as many rows on each
device: a device then computes the same and sends the same whole arrays, round a longer ring. Of a mesh with fewer
copies along `data`, rings along the other axes stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import jax

from framework.config.compose.loaded import Loaded
from framework.inspect.plan.measured import Measured
from framework.inspect.plan.stand_in import StandIn
from framework.parallel.choose import division
from framework.train.setup import Setup


def enlarged(found: Measured, loaded: Loaded, stand_in: StandIn, reason: str) -> Measured:
    """What the program of a smaller mesh tells of the recipe on the whole one; `reason` is why that is not compiled."""
    experiment = Setup(loaded).abstract
    state = jax.eval_shape(experiment.init)
    axes = stand_in.whole_axes
    parameters, optimizer, other = divided_bytes(loaded, state, axes, experiment.stacked)
    less = found.state - (parameters + optimizer + other)
    rings = tuple(replace(one, group=stand_in.group(one.group)) for one in found.collectives)
    return replace(
        found,
        devices=math.prod(axes.values()),
        axes={axis: size for axis, size in axes.items() if size > 1},
        batch_size=loaded.config.data.batch_size,
        parameters=parameters,
        gradients=parameters,
        optimizer=optimizer,
        other=other,
        arguments=found.arguments - less,
        outputs=found.outputs - less,
        aliased=found.aliased - less,
        collectives=tuple(sorted(rings, key=lambda one: -one.sent)),
        remarks=(*found.remarks, _remark(stand_in, reason)),
    )


def _remark(stand_in: StandIn, reason: str) -> str:
    if len(stand_in.axes) > 1:
        sizes = ", ".join(f"{axis} {size}" for axis, size in stand_in.axes.items())
        return (
            f"compiled for {stand_in.devices} devices ({sizes}) with as many rows on each, because {reason}: all "
            f"numbers are those of that program, but rings along 'data' are of {stand_in.whole}"
        )
    return (
        f"compiled for {stand_in.devices} devices with as many rows on each, because {reason}: the state is closed "
        f"form, temporaries, FLOPs and collectives are those of {stand_in.devices}, but rings are of "
        f"{stand_in.whole}; what only fewer devices divide still counts as divided there"
    )


def divided_bytes(loaded: Loaded, state: Any, axes: dict[str, int], stacked: Any) -> tuple[int, int, int]:
    """Bytes of parameters, optimizer state and the rest on each device."""
    divided = division(loaded.config.parallel, state, axes, stacked)
    sums = {"params": 0, "opt_state": 0}
    for path, leaf in divided.leaves.items():
        root = path.partition(".")[0]
        sums[root] = sums.get(root, 0) + leaf.device_bytes(axes)
    total = sum(sums.values())
    return sums["params"], sums["opt_state"], total - sums["params"] - sums["opt_state"]
