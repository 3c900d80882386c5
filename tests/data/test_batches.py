"""A batch is a function of (seed, epoch, step)."""

from __future__ import annotations

import numpy as np
import pytest

from framework.core.errors import DataError
from framework.data.schedule import BatchSchedule, eval_batches
from framework.data.streams import SPLIT, integers, normal, permutation, uniform, words


def epoch(schedule: BatchSchedule, number: int) -> np.ndarray:
    return schedule.block(number * schedule.steps_per_epoch, schedule.steps_per_epoch)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 100])
def test_each_epoch_visits_every_example_once_and_pads_at_its_end(length: int) -> None:
    schedule = BatchSchedule(length, 8, seed=3)
    for number in range(3):
        rows = epoch(schedule, number).reshape(-1)
        assert rows.dtype == np.int32
        assert sorted(rows[:length].tolist()) == list(range(length))
        assert (rows[length:] == -1).all()


def test_dropping_the_last_batch_leaves_only_full_ones() -> None:
    schedule = BatchSchedule(21, 8, seed=3, last="drop")
    assert schedule.steps_per_epoch == 2
    rows = epoch(schedule, 5)
    assert rows.min() >= 0
    assert len(set(rows.reshape(-1).tolist())) == 16


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {
        epoch(BatchSchedule(50, 10, seed=seed), number).tobytes() for seed in (0, 1, 2**32 - 1) for number in (0, 1, 2)
    }
    assert len(orders) == 9


def test_without_shuffle_every_epoch_is_in_order() -> None:
    schedule = BatchSchedule(5, 2, seed=0, shuffle=False)
    for number in (0, 4):
        assert epoch(schedule, number).tolist() == [[0, 1], [2, 3], [4, -1]]


@pytest.mark.parametrize("last", ["mask", "drop"])
def test_resuming_at_any_step_gives_the_batches_of_the_uninterrupted_run(last: str) -> None:
    whole = BatchSchedule(23, 5, seed=9, last=last).block(0, 30)  # pyright: ignore[reportArgumentType]
    for start in range(30):
        resumed = BatchSchedule(23, 5, seed=9, last=last)  # pyright: ignore[reportArgumentType]
        np.testing.assert_array_equal(resumed.block(start, 30 - start), whole[start:])
        np.testing.assert_array_equal(resumed.indices(start), whole[start])


def test_a_block_is_the_same_however_it_is_cut() -> None:
    schedule = BatchSchedule(23, 5, seed=9)
    pieces = [schedule.block(start, 3) for start in range(0, 30, 3)]
    np.testing.assert_array_equal(np.concatenate(pieces), schedule.block(0, 30))
    assert schedule.block(4, 0).shape == (0, 5)


def test_going_back_many_epochs_gives_the_same_batches() -> None:
    schedule = BatchSchedule(23, 5, seed=9)
    first = schedule.indices(2).copy()
    schedule.block(0, 40 * schedule.steps_per_epoch)
    np.testing.assert_array_equal(schedule.indices(2), first)


def test_steps_and_epochs_count_from_zero() -> None:
    schedule = BatchSchedule(23, 5, seed=0)
    assert schedule.steps_per_epoch == 5
    assert [schedule.epoch(step) for step in (0, 4, 5, 9, 10)] == [0, 0, 1, 1, 2]


def test_evaluation_visits_every_example_once_in_order() -> None:
    assert eval_batches(5, 2).tolist() == [[0, 1], [2, 3], [4, -1]]
    assert eval_batches(4, 2).tolist() == [[0, 1], [2, 3]]
    assert eval_batches(5, 2).dtype == np.int32


@pytest.mark.parametrize(("length", "last", "fix"), [(5, "drop", r"\n +fix: +data.batch_size=5"), (0, "mask", "$")])
def test_no_full_batch_is_refused(length: int, last: str, fix: str) -> None:
    with pytest.raises(DataError, match=f"data.batch_size: {length} examples do not fill one batch of 8\n.*{fix}"):
        BatchSchedule(length, 8, seed=0, last=last)  # pyright: ignore[reportArgumentType]


def test_the_orders_are_these_on_every_machine_and_numpy() -> None:
    # Golden values: a change here means that no earlier run can be resumed.
    assert BatchSchedule(10, 5, seed=0).block(0, 4).tolist() == [
        [0, 2, 9, 1, 8],
        [5, 4, 3, 6, 7],
        [5, 3, 7, 8, 2],
        [4, 1, 0, 6, 9],
    ]
    assert permutation(6, 1, SPLIT).tolist() == [2, 1, 0, 4, 5, 3]


def test_streams_are_a_function_of_all_of_their_key() -> None:
    keys = [(0,), (1,), (0, 1), (1, 1), (2**64 - 1,), (0, SPLIT)]
    assert len({words(4, *key).tobytes() for key in keys}) == len(keys)
    assert words(4, 0).tobytes() == words(4, 0, 0).tobytes()


def test_some_rows_of_normal_numbers_are_those_of_all() -> None:
    whole = normal((11, 3), 4, 2)
    parts = [normal((11, 3), 4, 2, rows=slice(start, stop)) for start, stop in ((0, 1), (1, 4), (4, 11))]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert words(5, 4, 2, first=6).tobytes() == words(11, 4, 2)[6:].tobytes()


def test_uniform_normal_and_integer_numbers_have_their_moments() -> None:
    size = 20_000
    flat, bell, whole = uniform((size,), 1), normal((size,), 2), integers((size,), 5, 3)
    # Five standard errors of each mean, and of the normal variance.
    assert abs(flat.mean() - 0.5) < 5 / np.sqrt(12 * size)
    assert flat.min() >= 0 and flat.max() < 1
    assert abs(bell.mean()) < 5 / np.sqrt(size)
    assert abs(bell.var() - 1) < 5 * np.sqrt(2 / size)
    assert set(whole.tolist()) == set(range(5))
    assert abs(whole.mean() - 2) < 5 * np.sqrt(2 / size)
