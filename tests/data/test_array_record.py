"""ArrayRecord files: what is written comes back, in any order, and every unfit file is told by name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section, told

import framework.data as data
from framework.core.errors import DataError
from framework.data.record_files import write_records

WHOLE = {"type": "fraction", "valid": 0, "test": 0}


def records(path: Any, arrays: Any, **fields: Any) -> Any:
    return section("array_record", path=path, arrays=arrays, **({"normalize": "none", "split": WHOLE} | fields))


def test_what_is_written_comes_back_from_several_files(tmp_path: Path) -> None:
    arrays = {
        "image": np.random.default_rng(0).integers(0, 256, (30, 3, 2, 1), np.uint8),
        "weight": np.arange(30, dtype=np.float64),
        "flag": np.arange(30) % 2 == 0,
    }
    files = [tmp_path / f"{part}.array_record" for part in range(3)]
    for file, rows in zip(files, np.split(np.arange(30), [4, 25]), strict=True):
        forms = write_records(file, {name: array[rows] for name, array in arrays.items()})
    assert forms == {"image": "uint8[3,2,1]", "weight": "float64[]", "flag": "bool[]"}
    train = data.load(records([str(file) for file in files], forms)).splits["train"]
    wanted = np.array([29, 3, 4, 4, 0, 25])
    got = train.take(wanted)
    np.testing.assert_array_equal(np.rint(got["image"] * 255), arrays["image"][wanted])
    np.testing.assert_array_equal(got["weight"], arrays["weight"][wanted].astype(np.float32))
    np.testing.assert_array_equal(got["flag"], arrays["flag"][wanted])


def test_shapes_are_told_before_there_is_a_file() -> None:
    made = records({"train": "no.a", "test": "no.b"}, {"image": "uint8[32, 32, 3]", "label": "int64"}, classes=10)
    described = data.describe(made)
    assert {name: spec.shape for name, spec in described.arrays.items()} == {"image": (32, 32, 3), "label": ()}


def test_a_record_of_another_length_is_told_with_its_file(tmp_path: Path) -> None:
    write_records(tmp_path / "a.array_record", {"features": np.zeros((5, 4), np.float32)})
    dataset = data.load(records(str(tmp_path / "a.array_record"), {"features": "float32[3]"}))
    with pytest.raises(DataError, match=told("a.array_record' record 2 has 16 bytes", "12 bytes: features float32[3]")):
        dataset.splits["train"].take(np.array([2]))


def test_a_label_outside_its_classes_is_told_with_its_record(tmp_path: Path) -> None:
    write_records(tmp_path / "a.array_record", {"label": np.where(np.arange(9) == 6, 5, 1)})
    dataset = data.load(records(str(tmp_path / "a.array_record"), {"label": "int64"}, classes=3))
    with pytest.raises(DataError, match=told("a.array_record record 6 holds the label 5", "0 to 2", "data.classes=6")):
        dataset.arrays("train")


def test_files_that_hold_no_records_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello")
    write_records(tmp_path / "b", {"x": np.zeros((5, 1000))})
    (tmp_path / "b").write_bytes((tmp_path / "b").read_bytes()[:65536])
    with pytest.raises(DataError, match=told("/a' cannot be read as ArrayRecord", "/b' cannot be read as ArrayRecord")):
        data.load(records([str(tmp_path / name) for name in "ab"], {"x": "float64[1000]"}))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("unit8[4]", ("'unit8[4]' is no dtype and shape", "such as uint8[32,32,3]", "data.arrays.x='uint8[4]'")),
        ("uint8(4)", ("'uint8(4)' is no dtype and shape",)),
        ("uint8[0]", ("'uint8[0]' is no dtype and shape",)),
    ],
)
def test_a_form_that_is_none_is_told(form: str, said: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=told("data.arrays.x", *said)):
        data.describe(records("a", {"x": form}))


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "array_record.python", None)
    with pytest.raises(DataError, match=told("need array_record, which is not installed", "'framework[array-record]'")):
        data.load(records(str(tmp_path / "a"), {"x": "uint8"}))
