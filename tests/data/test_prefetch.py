"""Batches made ahead by threads are those of the schedule, in order."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np
import pytest

from framework.data.prefetch import Prefetch, make_batch
from framework.data.protocol import Arrays, ArraySource, ArraySpec
from framework.data.schedule import BatchSchedule

SOURCE = ArraySource({"features": np.arange(23, dtype=np.float32)[:, None]})


class Waiting:
    """A source whose first batch is ready only after the second one."""

    spec: Mapping[str, ArraySpec] = SOURCE.spec

    def __init__(self, first: int) -> None:
        self._first = first
        self._other_done = threading.Event()

    def __len__(self) -> int:
        return len(SOURCE)

    def take(self, indices: np.ndarray) -> Arrays:
        if indices[0] == self._first:
            assert self._other_done.wait(timeout=30)
        else:
            self._other_done.set()
        return SOURCE.take(indices)


class Broken:
    """A source with one example that cannot be read."""

    spec: Mapping[str, ArraySpec] = SOURCE.spec

    def __len__(self) -> int:
        return len(SOURCE)

    def take(self, indices: np.ndarray) -> Arrays:
        if 12 in indices:
            raise OSError("example 12 is on a bad sector")
        return SOURCE.take(indices)


def prefetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_a_batch_has_a_mask_and_padding_is_an_ordinary_example() -> None:
    batch = make_batch(SOURCE, np.array([4, 2, -1], np.int32))
    assert batch["features"][:, 0].tolist() == [4.0, 2.0, 0.0]
    assert batch["mask"].tolist() == [1.0, 1.0, 0.0]
    assert batch["mask"].dtype == np.float32


@pytest.mark.parametrize(("depth", "threads"), [(1, 1), (2, 2), (7, 3)])
def test_batches_are_those_of_the_schedule_from_any_step(depth: int, threads: int) -> None:
    schedule = BatchSchedule(23, 5, seed=1)
    for start in (0, 3, 11):
        with Prefetch(SOURCE, schedule, start, 9, depth=depth, threads=threads) as batches:
            got = list(batches)
        assert len(got) == 9
        for step, batch in enumerate(got, start):
            expected = make_batch(SOURCE, schedule.indices(step))
            for name in expected:
                np.testing.assert_array_equal(batch[name], expected[name])


def test_order_holds_when_a_later_batch_is_done_first() -> None:
    schedule = BatchSchedule(23, 5, seed=0, shuffle=False)
    with Prefetch(Waiting(first=0), schedule, 0, 3, depth=3, threads=2) as batches:
        assert [batch["features"][0, 0] for batch in batches] == [0.0, 5.0, 10.0]


def test_an_error_comes_where_its_batch_would_have_come_and_ends_the_iteration() -> None:
    schedule = BatchSchedule(23, 5, seed=0, shuffle=False)
    batches = Prefetch(Broken(), schedule, 0, 5, depth=4)
    assert [next(batches)["features"][0, 0], next(batches)["features"][0, 0]] == [0.0, 5.0]
    with pytest.raises(OSError, match="example 12 is on a bad sector"):
        next(batches)
    with pytest.raises(StopIteration):
        next(batches)
    assert prefetching() == []


def test_without_a_count_batches_never_end_and_closing_lets_go_of_the_threads() -> None:
    batches = Prefetch(SOURCE, BatchSchedule(23, 5, seed=0), 0, None)
    for _ in range(40):
        next(batches)
    assert prefetching() != []
    batches.close()
    assert prefetching() == []
    with pytest.raises(StopIteration):
        next(batches)
    batches.close()


def test_no_steps_give_no_batches() -> None:
    with Prefetch(SOURCE, BatchSchedule(23, 5, seed=0), 4, 0) as batches:
        assert list(batches) == []
