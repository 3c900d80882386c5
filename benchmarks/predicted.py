"""How many bytes a step must send over a mesh, from shapes alone: what compiled programs are compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax

from framework.config.compose.loaded import Loaded
from framework.inspect.shardings import Row, shardings
from framework.train.setup import Setup

BYTES = 4  # of a float32


def sent(loaded: Loaded, axes: Mapping[str, int]) -> float:
    """Bytes that each device sends in a step, at the cost of ring algorithms.

    With r = data x fsdp groups of rows, b the bytes of a parameter on the devices of one place on the axis `tensor`:

        gradients, not divided over fsdp    2 (r - 1) / r  b                              one all-reduce
        gradients, divided over fsdp        (f - 1) / f  b  +  2 (d - 1) / d  b / f       reduce-scatter, all-reduce
        weights, divided over fsdp          2 (f - 1) / f  b                              gathered forward and backward
        activations, per block              4 x 2 (t - 1) / t  rows x time x width        as Megatron-LM

    Source: Rajbhandari et al., ZeRO, arXiv:1910.02054, section 7; Shoeybi et al., Megatron-LM, arXiv:1909.08053,
    section 3.
    """
    data, fsdp, tensor = (axes.get(axis, 1) for axis in ("data", "fsdp", "tensor"))
    total = sum(_of_parameter(row, data, fsdp, tensor) for row in shardings(loaded).rows)
    if tensor > 1:
        total += 4 * _ring(tensor, 2) * _block_outputs(loaded) / (data * fsdp)
    return total


def _of_parameter(row: Row, data: int, fsdp: int, tensor: int) -> float:
    nbytes = row.nbytes / (tensor if "tensor" in row.spec else 1)
    if "fsdp" not in row.spec:
        return _ring(data * fsdp, 2) * nbytes
    return 3 * _ring(fsdp) * nbytes + _ring(data, 2) * nbytes / fsdp


def _block_outputs(loaded: Loaded) -> float:
    """Bytes of the outputs of all transformer blocks for the whole batch."""
    config: Any = loaded.config
    params = jax.eval_shape(Setup(loaded).abstract.init).params
    copies, _, width = params["stack"]["mlp_out"]["kernel"].shape
    return copies * math.prod((config.data.batch_size, config.data.context, width)) * BYTES


def _ring(devices: int, times: int = 1) -> float:
    return times * (devices - 1) / devices
