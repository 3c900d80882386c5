"""What follows from shapes alone, for a program that is too costly to compile for as many devices as are asked for.

The state is divided as `parallel.division` says. The rest is the program of a smaller mesh with as many rows on each
device: a device then computes the same and sends the same whole arrays, round a longer ring.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax

from framework.config.compose.loaded import Loaded
from framework.inspect.plan.measured import Measured
from framework.parallel.choose import division
from framework.train.setup import Setup


def enlarged(found: Measured, loaded: Loaded, devices: int, reason: str) -> Measured:
    """What a program of fewer devices tells of one for `devices`; `reason` is why that is not compiled."""
    experiment = Setup(loaded).abstract
    state = jax.eval_shape(experiment.init)
    axis = "fsdp" if found.layout == "fsdp" else "data"
    parameters, optimizer, other = divided_bytes(loaded, state, {axis: devices}, experiment.stacked)
    less = found.state - (parameters + optimizer + other)
    rings = tuple(replace(one, group=devices) if one.group == found.devices else one for one in found.collectives)
    remark = (
        f"compiled for {found.devices} devices with as many rows on each, because {reason}: the state is closed form, "
        f"temporaries, FLOPs and collectives are those of {found.devices}, but rings are of {devices}; what only fewer "
        "devices divide still counts as divided there"
    )
    return replace(
        found,
        devices=devices,
        axes={axis: devices},
        batch_size=loaded.config.data.batch_size,
        parameters=parameters,
        gradients=parameters,
        optimizer=optimizer,
        other=other,
        arguments=found.arguments - less,
        outputs=found.outputs - less,
        aliased=found.aliased - less,
        collectives=rings,
        remarks=(*found.remarks, remark),
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
