"""Files of token ids: windows, number formats, splits and mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section, told, write_tokens

import framework.data as data
from framework.core.errors import DataError


def tokens(path: Any, **fields: Any) -> Any:
    return section("tokens", **({"path": path, "context": 4, "vocabulary": 100} | fields))


@pytest.mark.parametrize("stride", [None, 3])
def test_targets_are_the_tokens_that_follow(tmp_path: Path, stride: int | None) -> None:
    path = write_tokens(tmp_path / "a.bin", np.arange(90))
    split = {"type": "auto", "valid": 0.2, "test": 0.0}
    dataset = data.load(tokens(str(path), stride=stride, split=split))
    for view in dataset.splits.values():
        found = view.take(np.arange(len(view)))
        first = view.indices[:, None] * (stride or 4) + np.arange(4)
        np.testing.assert_array_equal(found["tokens"], first)
        np.testing.assert_array_equal(found["targets"], first + 1)
    last_trained = dataset.splits["train"].take(np.array([-1 + len(dataset.splits["train"])]))["targets"].max()
    assert last_trained < dataset.splits["valid"].take(np.array([0]))["tokens"].min()


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "int32", "npy"])
def test_every_number_format_gives_the_same_tokens(tmp_path: Path, dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 100, 60)
    path = tmp_path / ("a.npy" if dtype == "npy" else "a.bin")
    if dtype == "npy":
        np.save(path, values.astype(np.int64))
    else:
        values.astype(dtype).tofile(path)
    given = {} if dtype == "npy" else {"dtype": dtype}
    dataset = data.load(tokens({"train": str(path)}, split={"type": "named"}, **given))
    np.testing.assert_array_equal(dataset.arrays("train")["tokens"].ravel(), values[:56])


def test_no_window_runs_from_one_file_into_the_next(tmp_path: Path) -> None:
    parts = [str(write_tokens(tmp_path / f"{n}.bin", np.full(10 + n, n))) for n in range(4)]
    files = {"train": parts[:2], "valid": parts[2], "test": parts[3]}
    dataset = data.load(tokens(files, split={"type": "named"}))
    for name, inside in (("train", {0, 1}), ("valid", {2}), ("test", {3})):
        arrays = dataset.arrays(name)
        assert set(arrays["tokens"].ravel().tolist()) == inside
        np.testing.assert_array_equal(arrays["tokens"], arrays["targets"])


def test_a_file_is_mapped_and_only_its_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with path.open("wb") as file:
        file.truncate(8 << 30)  # a sparse file of 4 Gi tokens, all of them 0
    dataset = data.load(tokens({"train": str(path)}, context=1 << 20, vocabulary=2, split={"type": "named"}))
    assert len(dataset.splits["train"]) == 4095
    assert dataset.splits["train"].take(np.array([4094]))["targets"].shape == (1, 1 << 20)


def test_shapes_are_told_before_there_is_a_file() -> None:
    described = data.describe(tokens({"train": "none/a.bin", "valid": "none/b.bin"}, split={"type": "named"}))
    assert {name: spec.shape for name, spec in described.arrays.items()} == {"tokens": (4,), "targets": (4,)}
    assert (described.splits, described.vocabulary) == (("train", "valid"), 100)


def test_files_that_hold_no_tokens_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "odd.bin").write_bytes(b"abc")
    (tmp_path / "empty.bin").write_bytes(b"")
    write_tokens(tmp_path / "short.bin", np.arange(4))
    np.save(tmp_path / "floats.npy", np.zeros(50))
    (tmp_path / "text.npy").write_text("no array")
    names = ("odd.bin", "empty.bin", "short.bin", "floats.npy", "text.npy")
    said = told(
        "odd.bin' has 3 bytes, which are no whole number of uint16",
        "empty.bin' is empty",
        "short.bin' has 4 tokens, which do not fill one window of 4 and its targets", "data.context=3",
        "floats.npy' holds float64[50]",
        "text.npy' cannot be read as NPY",
    )  # fmt: skip
    with pytest.raises(DataError, match=said):
        data.load(tokens({"train": [str(tmp_path / name) for name in names]}))


def test_a_missing_file_is_told_when_the_data_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=told("data.path.train", "there is no file", "train.bin")):
        data.load(tokens({"train": str(tmp_path / "train.bin")}))


def test_a_token_outside_of_the_vocabulary_is_told_with_its_place(tmp_path: Path) -> None:
    values = np.zeros(41, int)
    values[37] = 100
    path = write_tokens(tmp_path / "a.bin", values)
    said = told("data.vocabulary", "a.bin' holds token 100 at place 37", "tokens in [0, 100)", "data.vocabulary=101")
    with pytest.raises(DataError, match=said):
        data.load(tokens(str(path)))
