"""Parquet tables read a row group at a time give the numbers of tables in memory, and few groups are open at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_cases import section, told, write_groups
from pydantic import ValidationError

import framework.data as data
from framework.core.errors import DataError
from framework.data.protocol import Blocks
from framework.data.schedule import BatchSchedule, block_order
from framework.data.tables.row_groups import RowGroups

WHOLE = {"type": "fraction", "valid": 0, "test": 0}


def streamed(path: Any, **fields: Any) -> Any:
    return section("parquet", path=path, stream=True, **({"target": "y", "cache_mib": 1} | fields))


def table(path: Path, columns: Any, size: int = 7) -> str:
    pq.write_table(pa.table(columns), path, row_group_size=size)
    return str(path)


@pytest.mark.parametrize("missing", ["mean", "zero"])
def test_streamed_and_in_memory_are_the_same_examples(tmp_path: Path, missing: str) -> None:
    row = np.arange(60)
    columns = {
        "a": pa.array([None if n % 9 == 4 else n / 3 for n in row]),
        "b": row.astype(np.int32),
        "colour": np.array(["red", "blue", "green"])[row % 3],
        "y": row * 0.5,
    }
    path = table(tmp_path / "a.parquet", columns)
    made = {"categorical": {"colour": None}, "missing": missing, "statistics_examples": None, "shuffle": False}
    stream = data.load(streamed(path, **made))
    memory = data.load(streamed(path, **made).model_copy(update={"stream": False}))
    assert stream.classes == memory.classes and stream.facts()["columns"] == memory.facts()["columns"]
    for split, view in stream.splits.items():
        order = np.argsort(memory.splits[split].indices)
        got, expected = view.take(np.arange(len(view))), memory.splits[split].take(order)
        assert got["target"].tobytes() == expected["target"].tobytes()
        np.testing.assert_allclose(got["features"], expected["features"], atol=1e-6)


def test_lists_of_numbers_are_features_side_by_side(tmp_path: Path) -> None:
    path = str(write_groups(tmp_path / "a.parquet"))
    made = streamed(path, target="kind", classes=3, categorical={"colour": ["red", "blue"]}, normalize="none")
    assert data.describe(made).arrays["features"].shape == (6,)
    rows = data.load(made.model_copy(update={"split": made.split.model_copy(update={"valid": 0.0, "test": 0.0})}))
    first = rows.splits["train"].take(np.array([13, 0]))
    assert first["features"].tolist() == [[6.5, 0, 1, 3.25, 4.25, 5.25], [0, 1, 0, 0, 1, 2]]
    assert first["label"].tolist() == [1, 0]


def test_an_epoch_visits_every_example_once_and_few_blocks_at_a_time() -> None:
    blocks = Blocks(np.repeat(np.arange(20), 10), window=4)
    orders = [block_order(blocks, seed=1, epoch=epoch) for epoch in range(2)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(200))
        for window in np.split(blocks.numbers[order], 5):
            assert len(set(window.tolist())) == 4
    assert orders[0].tolist() != orders[1].tolist()
    assert orders[0].tolist() == block_order(blocks, seed=1, epoch=0).tolist()
    assert orders[0].tolist() != block_order(blocks, seed=2, epoch=0).tolist()
    # Within a window examples of all its blocks come mixed.
    assert np.diff(blocks.numbers[orders[0]][:40]).astype(bool).sum() > 20


def test_each_row_group_is_decoded_once_in_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = np.arange(400)
    path = table(tmp_path / "a.parquet", {"a": np.ones((400,)), "y": row * 1.0}, size=10)
    dataset = data.load(streamed(path, split=WHOLE, normalize="none"))
    train = dataset.splits["train"]
    assert train.blocks is not None
    # As if the cache were small: windows of three groups, and six kept.
    source: Any = train._source
    monkeypatch.setattr(source, "_keep", 6)
    decoded: list[int] = []
    honest = RowGroups._decode

    def counting(self: RowGroups, number: int) -> Any:
        decoded.append(number)
        return honest(self, number)

    monkeypatch.setattr(RowGroups, "_decode", counting)
    schedule = BatchSchedule(400, 16, seed=3, blocks=Blocks(train.blocks.numbers, window=3))
    seen = np.concatenate(
        [train.take(schedule.indices(step))["target"][:, 0] for step in range(schedule.steps_per_epoch)]
    )
    assert sorted(seen.tolist()) == row.tolist()
    assert sorted(decoded) == list(range(40))
    assert len(source._decoded) == 6


def test_a_wrong_cell_is_told_with_its_row_when_its_group_is_read(tmp_path: Path) -> None:
    columns = {"a": np.where(np.arange(30) == 17, np.nan, 1.0), "y": np.arange(30.0)}
    dataset = data.load(streamed(table(tmp_path / "a.parquet", columns), split=WHOLE, normalize="none"))
    dataset.splits["train"].take(np.array([0]))
    with pytest.raises(DataError, match=told("a.parquet row 18, column 'a' has no value", "data.missing=")):
        dataset.splits["train"].take(np.array([16]))


def test_lists_that_are_no_features_are_told(tmp_path: Path) -> None:
    columns = {"a": pa.array([[1.0, 2.0]] * 30), "y": np.arange(30.0)}
    path = table(tmp_path / "a.parquet", columns)
    said = told("column 'a' is of type list<", "fixed-size lists of numbers", "data.exclude=['a']")
    for function in (data.describe, data.load):
        with pytest.raises(DataError, match=said):
            function(streamed(path))
    holes = pa.array([None if n == 9 else [1.0, 2.0] for n in range(30)], pa.list_(pa.float32(), 2))
    path = table(tmp_path / "b.parquet", {"a": holes, "y": np.arange(30.0)})
    with pytest.raises(DataError, match=told("b.parquet row 10, column 'a' has a missing or infinite value")):
        data.load(streamed(path))


def test_a_damaged_or_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(DataError, match=told("a.parquet' is not a Parquet file")):
        data.describe(streamed(str(tmp_path / "a.parquet")))
    path = table(tmp_path / "b.parquet", {"a": np.ones(0), "y": np.ones(0)})
    with pytest.raises(DataError, match=r"b.parquet has no rows"):
        data.load(streamed(path))


def test_dropping_rows_needs_the_whole_table() -> None:
    with pytest.raises(ValidationError, match="missing=drop reads the whole table first"):
        streamed("a.parquet", missing="drop")
