"""NPY folders: rows are read where they lie, and every unfit file is told by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section, told

import framework.data as data
from framework.core.errors import DataError
from framework.data.disk.rows import DiskRows
from framework.data.disk.stored import read_stored
from framework.data.registry import call, loader

WHOLE = {"type": "fraction", "valid": 0, "test": 0}


class Cells:
    """Writes a folder of NPY files and loads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cells"
        self.folder.mkdir()

    def write(self, **arrays: Any) -> Cells:
        for name, array in arrays.items():
            np.save(self.folder / f"{name}.npy", array)
        return self

    def section(self, **fields: Any) -> Any:
        return section("npy", **({"path": str(self.folder)} | fields))

    def rows(self, **fields: Any) -> dict[str, np.ndarray]:
        collection = call(loader("npy"), self.section(**fields))
        return collection.take(np.arange(len(collection)))

    def error(self, **fields: Any) -> str:
        """What both describing and loading say."""
        said = []
        for function in (data.describe, data.load):
            with pytest.raises(DataError) as caught:
                function(self.section(**fields))
            said.append(str(caught.value).replace(str(self.folder), "cells"))
        assert said[0] == said[1]
        return said[0]


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    return Cells(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64, ">f4", np.int64, np.bool_])
@pytest.mark.parametrize("shape", [(), (3,), (2, 700)])
def test_any_rows_in_any_order_are_those_of_the_arrays(tmp_path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    whole = (generator.random((50, *shape)) * 99).astype(dtype)
    for part, here in enumerate(np.split(whole, [0, 17, 18])):
        np.save(tmp_path / f"{part}.npy", here)
    rows = DiskRows([read_stored(file) for file in sorted(tmp_path.iterdir())])
    for wanted in ([49], [3, 2, 1, 0], [17, 17, 18, 5, 17], [], [*range(50)], generator.permutation(50).tolist()):
        out = np.empty((len(wanted), *shape), rows.dtype)
        rows.read(np.array(wanted, np.int64), out)
        np.testing.assert_array_equal(out, whole[wanted])


def test_rows_that_lie_together_but_go_apart_are_read_together_beyond_the_systems_limit(tmp_path: Path) -> None:
    whole = np.arange(3000, dtype=np.int32)
    np.save(tmp_path / "a.npy", whole)
    rows = DiskRows([read_stored(tmp_path / "a.npy")])
    wanted = np.arange(3000)[::-1]
    out = np.empty(3000, np.int32)
    rows.read(wanted, out)
    np.testing.assert_array_equal(out, whole[::-1])


def test_without_reads_that_never_wait_the_rows_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", np.arange(40))
    rows, out = DiskRows([read_stored(tmp_path / "a.npy")]), np.empty(3, np.int64)
    monkeypatch.delattr(os, "RWF_NOWAIT", raising=False)
    rows.read(np.array([7, 3, 4]), out)
    assert out.tolist() == [7, 3, 4]


def test_folders_files_and_patterns_are_parts_in_the_order_of_their_names(cells: Cells) -> None:
    cells.write(**{"x-1": np.ones((2, 3)), "x-0": np.zeros((4, 3)), "y": np.arange(6)})
    (cells.folder / "z").mkdir()
    for part in (1, 0):
        np.save(cells.folder / "z" / f"{part}.npy", np.full((3, 1), part, np.int8))
    rows = cells.rows(arrays={"features": "x-*.npy", "label": "y.npy", "zone": "z"}, classes=6)
    assert rows["features"][:, 0].tolist() == [0, 0, 0, 0, 1, 1]
    assert rows["zone"][:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert sorted(data.describe(cells.section(arrays={"zone": "z"})).arrays) == ["zone"]


def test_without_names_every_file_and_folder_of_parts_is_an_array(cells: Cells) -> None:
    cells.write(image=np.full((4, 2, 2), 255, np.uint8), target=np.arange(4.0))
    (cells.folder / "notes.txt").write_text("hello")
    rows = cells.rows()
    assert {name: array.shape for name, array in rows.items()} == {"image": (4, 2, 2, 1), "target": (4, 1)}
    assert (rows["image"] == 1.0).all()


def test_folders_by_split_are_the_splits(cells: Cells, tmp_path: Path) -> None:
    for split, length in (("train", 20), ("test", 6)):
        (tmp_path / split).mkdir()
        np.save(tmp_path / split / "features.npy", np.full((length, 2), len(split)))
    dataset = data.load(cells.section(path={name: str(tmp_path / name) for name in ("train", "test")}))
    assert {name: len(view) for name, view in dataset.splits.items()} == {"train": 18, "valid": 2, "test": 6}


def test_memory_and_disk_give_the_same_batches(cells: Cells, tmp_path: Path) -> None:
    arrays = {"image": np.random.default_rng(0).integers(0, 256, (60, 4, 3), np.uint8), "label": np.arange(60) % 3}
    cells.write(**arrays)
    np.savez(tmp_path / "a.npz", **arrays)
    on_disk = data.load(cells.section(classes=3, statistics_examples=None))
    in_memory = data.load(section("npz", path=str(tmp_path / "a.npz"), classes=3, mapped=False))
    for split, view in on_disk.splits.items():
        rows = in_memory.splits[split]
        order = np.argsort(rows.indices)
        np.testing.assert_array_equal(view.indices, rows.indices[order])
        for name, array in rows.take(order).items():
            np.testing.assert_allclose(view.take(np.arange(len(view)))[name], array, rtol=1e-6)


def test_a_mapped_npz_file_gives_the_very_batches_of_one_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    words = np.array(["rose", "lily", "iris"])[np.arange(60) % 3]
    np.savez(path, x=np.random.default_rng(0).random((60, 5)), y=words, tag=np.arange(60))
    made = {"path": str(path), "arrays": {"features": "x", "label": "y", "tag": "tag"}, "classes": 3}
    memory, disk = (data.load(section("npz", **made, mapped=mapped)) for mapped in (False, True))
    assert memory.facts() == disk.facts()
    for split in memory.splits:
        for name, array in memory.arrays(split).items():
            assert array.tobytes() == disk.arrays(split)[name].tobytes()


def test_a_compressed_npz_file_cannot_be_mapped_and_says_so(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", features=np.zeros((30, 2)))
    said = told("data.mapped", "a.npz' holds features compressed", "np.savez instead of np.savez_compressed")
    with pytest.raises(DataError, match=said):
        data.load(section("npz", path=str(tmp_path / "a.npz"), mapped=True))


def test_statistics_of_some_examples_are_near_those_of_all(cells: Cells) -> None:
    cells.write(features=np.random.default_rng(0).normal(5, 2, (4000, 1)).astype(np.float32))
    some, every = (
        data.load(cells.section(split=WHOLE, statistics_examples=count)).facts()["scalers"]["features"]
        for count in (1000, None)
    )
    assert some != every
    np.testing.assert_allclose(some["shift"], every["shift"], atol=0.2)


def test_labels_of_several_places_are_checked_as_they_are_read(cells: Cells) -> None:
    masks = np.zeros((30, 2, 2), np.uint8)
    masks[11, 1, 0] = 7
    cells.write(image=np.zeros((30, 2, 2), np.uint8), label=masks)
    dataset = data.load(cells.section(classes=3, split=WHOLE, normalize="none"))
    dataset.splits["train"].take(np.array([10, 12]))
    with pytest.raises(DataError, match="array 'label', example 11, holds the label 7"):
        dataset.splits["train"].take(np.array([10, 11]))


def test_a_label_outside_its_classes_is_told_with_its_file(cells: Cells) -> None:
    cells.write(features=np.zeros((30, 1)), label=np.where(np.arange(30) == 12, 9, 0))
    with pytest.raises(DataError, match=told("label.npy', example 12, holds the label 9", "0 to 2", "data.classes=10")):
        data.load(cells.section(classes=3))


def test_a_number_beyond_int32_is_told_with_its_example(cells: Cells) -> None:
    cells.write(tokens=np.where(np.arange(30) == 4, 2**31, 1)[:, None])
    dataset = data.load(cells.section(split=WHOLE))
    with pytest.raises(DataError, match="array 'tokens' holds 2147483648 in example 4"):
        dataset.arrays("train")


@pytest.mark.parametrize(
    ("arrays", "fields", "said"),
    [
        ({"x": np.zeros(5, np.complex64)}, {}, ("x.npy' (complex64)", "is not made of numbers", "real numbers")),
        ({"x": np.array(["a"])}, {}, ("x.npy' (<U1)", "is not made of numbers")),
        ({"tokens": np.zeros((5, 2))}, {}, ("tokens.npy' (float64)", "must hold whole numbers", "astype(np.int32)")),
        (
            {"features": np.zeros((5, 2)), "label": np.arange(4)},
            {"classes": 4},
            ("of 'cells' are of different lengths: features has 5, label has 4", "in every array", "label.npy' again"),
        ),
        ({"x": np.array(3)}, {}, ("x.npy' is a single number", "first axis counts the examples")),
        ({"x": np.zeros((2, 5)).T}, {}, ("x.npy' is in Fortran order", "C order", "np.ascontiguousarray(x)")),
        ({"x": np.zeros((5, 2))}, {"classes": 2}, ("classes is 2, but no array is called label", "data.classes=null")),
        ({"label": np.zeros(5, int)}, {}, ("has an array label, but classes is not set", "data.classes=N")),
        (
            {"xs": np.zeros((5, 2))},
            {"arrays": {"features": "x.npy"}},
            ("data.arrays.features", "no .npy file 'x.npy' in 'cells'", "xs.npy", "data.arrays.features=xs.npy"),
        ),
        ({}, {}, ("there is no .npy file in 'cells'", "np.save")),
    ],
)  # fmt: skip
def test_a_mistake_is_told_without_loading(cells: Cells, arrays: Any, fields: Any, said: tuple[str, ...]) -> None:
    message = cells.write(**arrays).error(**fields)
    position = 0
    for part in said:
        assert part in message[position:], (part, message)
        position = message.index(part, position)


def test_objects_are_never_unpickled(cells: Cells, tmp_path: Path) -> None:
    witness = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return open, (str(witness), "w")  # type: ignore[return-value]

    np.save(cells.folder / "x.npy", np.array([Trap(), 1], object), allow_pickle=True)
    message = cells.error()
    assert "x.npy' holds pickled objects, which are never loaded" in message
    assert "np.asarray(x, np.float32)" in message
    assert not witness.exists()


def test_files_that_are_cut_off_or_no_arrays_are_all_told(cells: Cells) -> None:
    cells.write(features=np.zeros((100, 10)), target=np.zeros(100))
    path = cells.folder / "features.npy"
    path.write_bytes(path.read_bytes()[:-1500])
    (cells.folder / "target.npy").write_text("no array")
    message = cells.error()
    assert (
        "features.npy' is cut off: float64[100, 10] takes 8,000 bytes, but 6,500 are there (81 whole rows)" in message
    )
    assert "target.npy' cannot be read as NPY: " in message


def test_parts_of_different_shapes_are_told(cells: Cells) -> None:
    cells.write(**{"x-0": np.zeros((3, 2)), "x-1": np.zeros((3, 4))})
    message = cells.error(arrays={"features": "x-*.npy"})
    assert "x-1.npy' holds float64[4] for an example\n  expected:  float64[2], as 'cells/x-0.npy' does" in message


def test_a_file_that_becomes_shorter_is_told_and_not_a_crash(cells: Cells) -> None:
    cells.write(features=np.ones((1000, 100)))
    dataset = data.load(cells.section(split=WHOLE, normalize="none"))
    os.truncate(cells.folder / "features.npy", 5000)
    with pytest.raises(DataError, match=r"features.npy' cannot be read: it ends at byte 5,000; it was longer before"):
        dataset.splits["train"].take(np.array([999]))


def test_a_misspelt_folder_is_told(cells: Cells) -> None:
    with pytest.raises(DataError, match=told("there is no folder", "cell'", "data.path=", "cells")):
        data.load(cells.section(path=str(cells.folder)[:-1]))
