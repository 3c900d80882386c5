"""What `parallel=auto` takes: as many devices as divide the batch, and fsdp only where a state would crowd a device."""

from __future__ import annotations

from typing import Any

import jax
import pytest

import framework as fw
from framework.parallel.automatic import automatic, layout

GIB = 2**30


def never() -> Any:
    raise AssertionError("the state need not be known")


@pytest.fixture(scope="module")
def shapes() -> Any:
    experiment = fw.load("wine_mlp")
    return jax.eval_shape(experiment.init)


def test_one_device_needs_no_layout() -> None:
    assert automatic(1, 64, never) == ("single", 1, "")


def test_several_devices_divide_the_batch(shapes: Any) -> None:
    assert automatic(8, 64, lambda: shapes) == ("data", 8, "")


def test_devices_that_the_batch_cannot_use_are_left_out_and_told(shapes: Any) -> None:
    kind, count, remark = automatic(8, 30, lambda: shapes)
    assert (kind, count) == ("data", 6)
    assert "auto uses 6 of 8 devices" in remark and "data.batch_size=32 would use all" in remark


def test_a_batch_of_one_row_takes_one_device() -> None:
    assert automatic(4, 1, never)[:2] == ("single", 1)


@pytest.mark.parametrize(
    ("needed", "memory", "kind"),
    [(GIB, None, "data"), (2 * GIB, 8 * GIB, "data"), (2 * GIB + 1, 8 * GIB, "fsdp"), (9 * GIB, 8 * GIB, "fsdp")],
)
def test_a_state_of_more_than_a_quarter_of_a_device_is_divided(needed: int, memory: int | None, kind: str) -> None:
    assert layout(needed, memory) == kind
