"""The sizes of a mesh multiply out to the number of devices, or the error says how they could."""

from __future__ import annotations

import pytest

from framework.core.axes import filled, uneven_batch
from framework.core.errors import ConfigError


def test_the_open_axis_takes_what_the_others_leave() -> None:
    assert filled({"data": -1, "fsdp": 2, "tensor": 2}, 16) == {"data": 4, "fsdp": 2, "tensor": 2}
    assert filled({"data": -1, "fsdp": 8}, 8) == {"data": 1, "fsdp": 8}
    assert filled({"data": 2, "fsdp": 4}, 8) == {"data": 2, "fsdp": 4}


@pytest.mark.parametrize(
    ("sizes", "devices", "found", "fix"),
    [
        ({"data": 2, "fsdp": 2}, 8, "data 2 x fsdp 2 = 4 devices, but 8 devices are asked for", "parallel.axes.data=4"),
        ({"data": 3, "fsdp": 3}, 7, "data 3 x fsdp 3 = 9 devices, but 7 devices are asked for", "parallel=auto"),
        ({"data": 4}, 1, "data 4 = 4 devices, but 1 device is asked for", "parallel.axes.data=1"),
        ({"data": -1, "fsdp": 4}, 6, "data takes what fsdp 4 leaves, but 6 devices", "parallel.axes.fsdp=3"),
        ({"data": -1, "fsdp": -1}, 8, "data and fsdp are -1", "parallel.axes.fsdp=1"),
    ],
)
def test_sizes_that_do_not_multiply_out_are_told_with_a_fix(
    sizes: dict[str, int], devices: int, found: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        filled(sizes, devices)
    (problem,) = caught.value.problems
    assert problem.key == "parallel.axes" and found in problem.found and problem.fix == fix


@pytest.mark.parametrize(("rows", "parts", "fix"), [(64, 6, 66), (2, 8, 8), (13, 4, 12)])
def test_a_batch_that_does_not_divide_is_told_with_the_nearest_that_does(rows: int, parts: int, fix: int) -> None:
    problem = uneven_batch(rows, parts)
    assert problem.fix == f"data.batch_size={fix}" and fix % parts == 0
    assert f"{rows} = {rows // parts} x {parts} + {rows % parts}" in problem.found
