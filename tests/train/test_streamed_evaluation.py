"""A split that is read from the disk while it is evaluated gives what one batch after another gives, to the bit."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest

from framework.config.compose import load
from framework.core.errors import DataError
from framework.data.prefetch import make_batch
from framework.data.protocol import Arrays, ArraySource
from framework.data.schedule import eval_batches
from framework.train.setup import Setup

ROWS = 61
"""About 50 of them are left to evaluate, in batches of 8, of which the last one is short."""
BROKEN_ROW = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table in groups of four rows, beside the same one with a hole."""
    folder = tmp_path_factory.mktemp("tables")
    generator = np.random.default_rng(0)
    columns: dict[str, Any] = {name: generator.normal(size=ROWS) for name in ("sour", "sweet")}
    columns["kind"] = np.arange(ROWS) % 3
    parquet.write_table(pyarrow.table(columns), folder / "whole.parquet", row_group_size=4)
    columns["sour"][BROKEN_ROW - 1] = np.nan
    parquet.write_table(pyarrow.table(columns), folder / "broken.parquet", row_group_size=4)
    return folder


def setup_of(file: Path) -> Setup:
    words = ["data=parquet", f"data.path={file}", "data.target=kind", "data.classes=3", "data.stream=true"]
    words += ["data.statistics_examples=8", "data.split={type: contiguous, valid: 0.83, test: 0}"]
    words += ["data.batch_size=8", "data.resident=false", "network.layers.hidden.dense.features=8"]
    return Setup(load("wine_mlp", words))


@pytest.fixture(scope="module")
def whole(folder: Path) -> Setup:
    return setup_of(folder / "whole.parquet")


@pytest.fixture(scope="module")
def state(whole: Setup) -> Any:
    return whole.strategy.place_state(jax.jit(whole.experiment.init)())


def prefetching() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def batches(setup: Setup) -> Iterator[tuple[np.ndarray, Arrays]]:
    """The validation split's, one after another in this thread."""
    source = setup.dataset.splits["valid"]
    for indices in eval_batches(len(source), 8):
        yield indices, make_batch(source, indices)


def test_results_are_those_of_one_batch_after_another_to_the_bit(whole: Setup, state: Any) -> None:
    evaluator, experiment = whole.evaluator, whole.experiment
    evaluate = jax.jit(experiment.evaluate)
    evaluation = experiment.evaluation()
    for _, batch in batches(whole):
        evaluation = evaluate(state, batch, evaluation, experiment.hyper)
    expected = jax.jit(lambda found: experiment.summarise(experiment.combine(found)))(evaluation)
    for _ in range(3):  # the threads are never done in the same order
        found = evaluator.evaluate(state, "valid")
        assert {name: np.float32(found[name]).tobytes() for name in ("loss", "accuracy")} == {
            name: np.float32(expected[name]).tobytes() for name in ("loss", "accuracy")
        }
    assert prefetching() == []


def test_outputs_come_in_the_order_of_the_split_whichever_thread_is_done_first(whole: Setup, state: Any) -> None:
    evaluator, experiment = whole.evaluator, whole.experiment
    found = evaluator.predict_split(state, "valid")["logits"]
    predict = jax.jit(experiment.predict)
    parts = [
        np.asarray(predict(state, {"features": batch["features"]}, experiment.hyper)["logits"])[indices >= 0]
        for indices, batch in batches(whole)
    ]
    assert len(found) % 8 != 0
    assert found.tobytes() == np.concatenate(parts).tobytes()
    given = {"features": np.concatenate([batch["features"][indices >= 0] for indices, batch in batches(whole)])}
    assert evaluator.predict(state, given)["logits"].tobytes() == found.tobytes()


def test_an_error_of_a_reader_is_told_with_file_and_row_and_ends_the_threads(
    folder: Path, whole: Setup, state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "broken.parquet"
    monkeypatch.setitem(whole.dataset.splits, "valid", setup_of(file).dataset.splits["valid"])
    for work in (whole.evaluator.evaluate, whole.evaluator.predict_split):
        with pytest.raises(DataError, match=re.escape(f"{file} row {BROKEN_ROW}, column 'sour' has no value")):
            work(state, "valid")
        assert prefetching() == []


class Watched(ArraySource):
    """Tells where in memory its examples were put, and is interrupted where one is asked for."""

    def __init__(self, arrays: Arrays, interrupted: int = -1) -> None:
        super().__init__(arrays)
        self.places: set[int] = set()
        self._interrupted = interrupted

    def fill(self, indices: np.ndarray, out: Any) -> None:
        if self._interrupted in indices:
            raise KeyboardInterrupt
        self.places.add(out["features"].ctypes.data)
        super().fill(indices, out)


def test_an_interruption_ends_the_threads(whole: Setup, state: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(whole.dataset.splits, "valid", Watched(whole.dataset.arrays("valid"), interrupted=24))
    with pytest.raises(KeyboardInterrupt):
        whole.evaluator.evaluate(state, "valid")
    assert prefetching() == []


def test_few_batches_are_in_memory_at_a_time(whole: Setup, state: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {name: np.concatenate([array] * 20) for name, array in whole.dataset.arrays("valid").items()}
    source = Watched(arrays)
    monkeypatch.setitem(whole.dataset.splits, "valid", source)
    whole.evaluator.evaluate(state, "valid")
    assert len(source) // 8 > 100
    assert len(source.places) <= 9 + 4  # one for each thread and one more, and those that the loop and the device hold
