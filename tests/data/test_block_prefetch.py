"""Blocks of batches are those of the schedule, however many steps are asked for, and their memory is used again."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from framework.data.block_prefetch import BlockPrefetch
from framework.data.prefetch import make_batch
from framework.data.protocol import Arrays, ArraySource
from framework.data.recycling import Recycled
from framework.data.schedule import BatchSchedule, PartSchedule

SOURCE = ArraySource(
    {"features": np.arange(46, dtype=np.float32).reshape(23, 2), "label": np.arange(23, dtype=np.int32)}
)


class Broken(ArraySource):
    """A source with one example that cannot be read."""

    def fill(self, indices: np.ndarray, out: dict[str, np.ndarray]) -> None:  # type: ignore[override]
        if 12 in indices:
            raise OSError("example 12 is on a bad sector")
        super().fill(indices, out)


class Taking:
    """A source that cannot put examples into place."""

    spec = SOURCE.spec

    def __len__(self) -> int:
        return len(SOURCE)

    def take(self, indices: np.ndarray) -> Arrays:
        return SOURCE.take(indices)


def expected(schedule: BatchSchedule | PartSchedule, start: int, count: int) -> list[Arrays]:
    return [make_batch(SOURCE, schedule.indices(step)) for step in range(start, start + count)]


@pytest.mark.parametrize("counts", [(4, 4, 4, 4), (4, 1, 4, 4, 3, 4, 4), (1, 1, 1, 4, 2, 2, 2), (3, 2, 1, 4, 4)])
@pytest.mark.parametrize("source", [SOURCE, Taking()], ids=["filling", "taking"])
def test_blocks_are_the_schedules_batches_whatever_the_counts(counts: tuple[int, ...], source: ArraySource) -> None:
    schedule = BatchSchedule(23, 5, seed=1)
    step = 7
    with BlockPrefetch(source, schedule, step, 4, masked=True, threads=3) as blocks:
        for count in counts:
            block = blocks.take(count)
            for place, batch in enumerate(expected(schedule, step, count)):
                assert {name: array.shape for name, array in block.items()} == {
                    name: (4, *array.shape) for name, array in batch.items()
                }
                for name, array in batch.items():
                    np.testing.assert_array_equal(block[name][place], array)
            step += count


def test_a_block_that_is_still_used_is_never_written_to() -> None:
    schedule = BatchSchedule(23, 5, seed=0)
    with BlockPrefetch(SOURCE, schedule, 0, 2, masked=False) as blocks:
        # A view keeps the memory of the whole block, as a device does that computes with it.
        kept = [blocks.take(2)["features"][1] for _ in range(12)]
    for index, view in enumerate(kept):
        np.testing.assert_array_equal(view, expected(schedule, 2 * index + 1, 1)[0]["features"])


def test_memory_that_nobody_uses_is_given_out_again() -> None:
    memory = Recycled(SOURCE.spec, (2, 3), keep=2)
    first = memory.arrays()
    place = first["label"].ctypes.data
    view = first["label"][1]
    del first
    other = memory.arrays()
    assert other["label"].ctypes.data != place
    del view
    assert memory.arrays()["label"].ctypes.data == place


def test_memory_lies_where_xla_computes_with_it_in_place() -> None:
    memory = Recycled(SOURCE.spec, (3,), keep=1)
    assert [array.ctypes.data % 64 for array in memory.arrays().values()] == [0, 0]


def test_a_process_makes_only_its_own_rows() -> None:
    schedule = PartSchedule(BatchSchedule(23, 6, seed=2), np.array([2, 3]))
    with BlockPrefetch(SOURCE, schedule, 0, 3, masked=True) as blocks:
        block = blocks.take(3)
    assert block["features"].shape == (3, 2, 2)
    for place, batch in enumerate(expected(schedule, 0, 3)):
        np.testing.assert_array_equal(block["features"][place], batch["features"])


def test_an_error_comes_with_the_block_that_needs_its_batch_and_ends_the_threads() -> None:
    schedule = BatchSchedule(23, 5, seed=0, shuffle=False)
    source = Broken({"features": np.arange(23.0, dtype=np.float32)})
    blocks = BlockPrefetch(source, schedule, 0, 2, masked=False)
    assert blocks.take(2)["features"].tolist() == np.arange(10.0).reshape(2, 5).tolist()
    with pytest.raises(OSError, match="example 12 is on a bad sector"):
        blocks.take(2)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")] == []
