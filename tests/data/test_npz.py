"""NPZ files: names decide types, headers are enough to describe, and nothing is ever unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section

import framework.data as data
from framework.core.errors import DataError
from framework.data.registry import call, loader


class Npz:
    """Writes an NPZ file and loads it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.npz"

    def write(self, **arrays: Any) -> Npz:
        np.savez(self.path, **arrays)
        return self

    def section(self, **fields: Any) -> Any:
        return section("npz", **({"path": str(self.path)} | fields))

    def rows(self, **fields: Any) -> dict[str, np.ndarray]:
        collection = call(loader("npz"), self.section(**fields))
        return collection.take(np.arange(len(collection)))

    def error(self, **fields: Any) -> str:
        """What both describing and loading say."""
        told = []
        for function in (data.describe, data.load):
            with pytest.raises(DataError) as caught:
                function(self.section(**fields))
            told.append(str(caught.value).replace(str(self.path), "a.npz"))
        assert told[0] == told[1]
        return told[0]


@pytest.fixture
def npz(tmp_path: Path) -> Npz:
    return Npz(tmp_path)


def test_names_decide_types_and_shapes(npz: Npz) -> None:
    npz.write(
        image=np.full((4, 2, 3), 255, np.uint8),
        features=np.arange(8, dtype=np.int64).reshape(4, 2),
        target=np.arange(4.0),
        label=np.arange(4) % 2,
        weight=np.ones((4, 2), np.float16),
        count=np.arange(4, dtype=np.uint8),
        flag=np.array([True, False, True, True]),
    )
    rows = npz.rows(classes=2)
    told = {name: (array.shape[1:], array.dtype.name) for name, array in rows.items()}
    assert told == {
        "image": ((2, 3, 1), "float32"),
        "features": ((2,), "float32"),
        "target": ((1,), "float32"),
        "label": ((), "int32"),
        "weight": ((2,), "float32"),
        "count": ((), "int32"),
        "flag": ((), "bool"),
    }
    assert (rows["image"] == 1.0).all()
    whole = npz.section(classes=2, split={"type": "fraction", "valid": 0, "test": 0})
    assert dict(data.describe(whole).arrays) == data.load(whole).spec


def test_arrays_are_renamed(npz: Npz) -> None:
    npz.write(x=np.arange(6.0).reshape(3, 2), junk=np.arange(5))
    assert npz.rows(arrays={"features": "x"})["features"].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_arrays_by_split_in_one_file(npz: Npz) -> None:
    npz.write(x_train=np.zeros((20, 2)), y_train=np.arange(20) % 2, x_test=np.ones((6, 2)), y_test=np.arange(6) % 2)
    arrays = {split: {"features": f"x_{split}", "label": f"y_{split}"} for split in ("train", "test")}
    dataset = data.load(npz.section(arrays=arrays, classes=2, normalize="none"))
    assert {name: len(view) for name, view in dataset.splits.items()} == {"train": 18, "valid": 2, "test": 6}
    assert (dataset.arrays("test")["features"] == 1.0).all()


def test_labels_may_be_text(npz: Npz) -> None:
    npz.write(features=np.zeros((3, 1)), label=np.array(["b", "a", "b"]))
    assert npz.rows(classes=2)["label"].tolist() == [1, 0, 1]


def test_labels_may_have_any_shape(npz: Npz) -> None:
    npz.write(features=np.zeros((20, 1)), label=np.tile(np.array([[0, 1], [2, 0]]), (10, 1)))
    dataset = data.load(npz.section(classes=3))
    assert dataset.arrays("train")["label"].shape == (16, 2)


def test_a_pickle_is_refused_and_never_runs(npz: Npz, tmp_path: Path) -> None:
    witness = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return open, (str(witness), "w")  # type: ignore[return-value]

    npz.write(features=np.zeros((3, 1)), trap=np.array([Trap(), 1, 2], object))
    assert npz.error().startswith(
        "data.path: 'a.npz' holds pickled objects in trap, which are never loaded\n"
        "  expected:  arrays of numbers; a pickle could run any code"
    )
    assert not witness.exists()


@pytest.mark.parametrize(
    ("arrays", "fields", "message"),
    [
        (
            {"features": np.zeros((5, 2)), "label": np.arange(4)},
            {"classes": 4},
            "data.arrays: 'a.npz' is ragged: features has 5, label has 4 examples",
        ),
        ({"x": np.zeros((5, 2))}, {"arrays": {"features": "xx"}}, "data.arrays: 'a.npz' has no array 'xx'"),
        ({"x": np.zeros((5, 2))}, {"classes": 2}, "data.arrays: classes is 2, but no array is called label"),
        (
            {"x": np.zeros((5, 2)), "label": np.arange(5)},
            {},
            "data.classes: an array is called label, but classes is not set",
        ),
        ({"x": np.zeros((5, 2)), "version": np.array(3)}, {}, "version is a single number, not one for each example"),
        ({"x": np.zeros(5, np.complex64)}, {}, "data.arrays: 'a.npz': array 'x' (complex64) is not made of numbers"),
        ({"x": np.array(["a", "b"])}, {}, "array 'x' (<U1) is not made of numbers"),
        (
            {"x": np.zeros(5), "label": np.zeros(5)},
            {"classes": 2},
            "array 'label' (float64) must hold whole numbers",
        ),
        ({}, {}, "data.arrays: 'a.npz' holds no array"),
    ],
)
def test_a_mistake_is_told_without_loading(npz: Npz, arrays: Any, fields: Any, message: str) -> None:
    assert message in npz.write(**arrays).error(**fields)


@pytest.mark.parametrize(("wrong", "fix"), [(7, "data.classes=8"), (-1, "number the classes from 0")])
def test_a_label_outside_its_classes_is_told_with_its_example(npz: Npz, wrong: int, fix: str) -> None:
    labels = np.arange(20) % 3
    labels[11] = wrong
    npz.write(features=np.zeros((20, 1)), label=labels)
    with pytest.raises(DataError, match=rf"array 'label' example 11 holds the label {wrong}\n.*0 to 2\n +fix: +{fix}"):
        data.load(npz.section(classes=3))


def test_a_number_that_does_not_fit_into_int32_is_refused(npz: Npz) -> None:
    npz.write(tokens=np.array([[1], [2**31]]))
    with pytest.raises(DataError, match="array 'tokens' holds 1 to 2147483648"):
        data.load(npz.section())


def test_files_of_different_shapes_are_refused(npz: Npz, tmp_path: Path) -> None:
    npz.write(features=np.zeros((3, 2)))
    np.savez(tmp_path / "b.npz", features=np.zeros((3, 4)))
    told = npz.error(path=[str(npz.path), str(tmp_path / "b.npz")])
    assert "b.npz' holds features float32[4]\n  expected:  features float32[2], as 'a.npz' does" in told


def test_splits_named_twice_are_refused(npz: Npz) -> None:
    npz.write(x=np.zeros((3, 2)))
    told = npz.error(path={"train": str(npz.path)}, arrays={"train": {"features": "x"}})
    assert "data.arrays: both path and arrays name the splits" in told


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"\x80\x04\x95"])
def test_a_file_that_is_not_npz_is_refused(npz: Npz, content: bytes) -> None:
    npz.path.write_bytes(content)
    assert "'a.npz' cannot be read as NPZ: " in npz.error()


def test_a_damaged_file_is_refused(npz: Npz) -> None:
    npz.write(features=np.arange(1000.0)[:, None])
    content = bytearray(npz.path.read_bytes())
    content[4000] ^= 0xFF
    npz.path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.npz' cannot be read as NPZ: Bad CRC-32"):
        data.load(npz.section())
