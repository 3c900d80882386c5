"""What is read out of compiled programs agrees with closed forms and with XLA's own analysis."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jax
import pytest

from framework.config import compose
from framework.core.trees import nbytes
from framework.inspect.plan.closed_form import enlarged
from framework.inspect.plan.compiling import measure
from framework.inspect.plan.measured import Measured
from framework.inspect.plan.planning import merged
from framework.inspect.plan.process import Request, measured
from framework.inspect.plan.roofline import Hardware, times
from framework.inspect.plan.stand_in import StandIn, smaller
from framework.train.setup import Setup

RECIPE = str(Path(__file__).parent / "tiny_mlp.yaml")
TRANSFORMER = str(Path(__file__).parent / "tiny_transformer.yaml")
PARAMETERS = 4 * (16 * 64 + 64 + 64 * 16 + 16)


@cache
def on(devices: int, *words: str) -> Measured:
    found = measured(Request(RECIPE, (*words, f"parallel.devices={devices}"), devices))
    assert found is not None
    return found


@pytest.mark.parametrize("layout", ["data", "pmap"])
def test_copies_of_the_state_sum_every_gradient_once_round_the_ring(layout: str) -> None:
    found = on(4, f"parallel={layout}")
    assert {one.kind for one in found.collectives} == {"all-reduce"}
    scalars = sum(one.payload for one in found.collectives) - PARAMETERS
    assert 0 <= scalars <= 4 * 4  # the loss and the count of rows
    assert found.sent == 2 * (4 - 1) / 4 * (PARAMETERS + scalars)
    assert (found.parameters, found.state) == (PARAMETERS, found.whole_state)


def test_fsdp_leaves_each_device_its_part_of_the_state() -> None:
    found = on(4, "parallel=fsdp", "parallel.min_size=1")
    assert found.parameters == PARAMETERS / 4
    assert found.state == pytest.approx(found.whole_state / 4, rel=0.05)
    assert {"all-gather"} <= {one.kind for one in found.collectives}


def test_arguments_are_the_state_the_rows_of_a_device_and_the_scalars() -> None:
    found = on(4, "parallel=data")
    rows = 32 // 4 * (16 * 4 + 4 + 4)  # features, label, mask
    assert 0 < found.arguments - found.state - rows < 256


def test_the_peak_is_that_of_the_memory_analysis_of_a_plain_step() -> None:
    loaded = compose.load(RECIPE, ["parallel=single"])
    experiment = Setup(loaded).abstract
    state, hyper = jax.eval_shape(experiment.init), experiment.hyper
    shapes = {key: jax.ShapeDtypeStruct((), value.dtype) for key, value in hyper.items()}
    plain = jax.jit(lambda s, b, h: experiment.step(s, b, h), donate_argnums=0)
    memory = plain.lower(state, experiment.example_batch(32), shapes).compile().memory_analysis()
    assert memory is not None
    found = measure(loaded)
    assert found.peak == (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        - memory.alias_size_in_bytes
        + memory.temp_size_in_bytes
    )
    assert found.aliased > 0.9 * nbytes(state)
    # Forward and backward of two products; the first needs no gradient of its input.
    assert found.flops >= 2 * 32 * 16 * 64 * 5


@pytest.mark.parametrize("words", [("parallel=data",), ("parallel=fsdp", "parallel.min_size=1")], ids=["data", "fsdp"])
def test_a_smaller_mesh_tells_of_a_larger_one(words: tuple[str, ...]) -> None:
    small, real = on(4, *words), on(16, *words, "data.batch_size=128")
    loaded = compose.load(RECIPE, [*words, "parallel.devices=16", "data.batch_size=128"])
    axis = words[0].removeprefix("parallel=")
    told = enlarged(small, loaded, StandIn(axis, 4, 16, {axis: 4}, 32), "of the test")
    assert (told.devices, told.compiled, told.batch_size) == (16, 4, 128)
    assert (told.parameters, told.optimizer, told.other) == (real.parameters, real.optimizer, real.other)
    assert told.sent == pytest.approx(real.sent, rel=0.02)
    assert "compiled for 4 devices with as many rows on each, because of the test" in told.remarks[-1]


def test_fewer_copies_tell_of_a_mesh_with_more() -> None:
    """All that is told of 32 devices by 12 of them is what those 32 really need."""
    mesh = ("parallel=mesh", "parallel.axes={data: -1, fsdp: 2, tensor: 2}", "parallel.min_size=1")
    words = (*mesh, "parallel.devices=32", "data.batch_size=64")
    loaded = compose.load(TRANSFORMER, words)
    stand_in = smaller(loaded.config.parallel, 32, 64)
    assert stand_in is not None and stand_in.axes == {"data": 3, "fsdp": 2, "tensor": 2}
    real = measured(Request(TRANSFORMER, words, 32))
    small = measured(Request(TRANSFORMER, merged(words, stand_in.words), stand_in.devices))
    assert real is not None and small is not None
    told = enlarged(small, loaded, stand_in, "of the test")
    assert (told.devices, told.compiled, told.axes, told.batch_size) == (32, 12, real.axes, 64)
    assert {one.group for one in told.collectives} == {one.group for one in real.collectives}
    for name in ("state", "arguments", "outputs", "temporary", "peak", "flops", "sent", "collectives"):
        assert getattr(told, name) == getattr(real, name), name
    assert "compiled for 12 devices (data 3, fsdp 2, tensor 2)" in told.remarks[-1]


def test_a_step_takes_the_longest_of_its_parts_or_their_sum() -> None:
    found = on(4, "parallel=data")
    rates = Hardware(flops=found.flops, memory_bandwidth=found.moved / 2, bandwidth=found.sent / 3)
    seconds = times(found, rates)
    assert (seconds.compute, seconds.memory, seconds.network) == (1, 2, 3)
    assert (seconds.apart, seconds.overlapped, seconds.bound) == (5, 3, "network")
    assert seconds.efficiency(seconds.apart) == 1 / 5
