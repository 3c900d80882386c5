"""New inputs are prepared as the training data was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_cases import CASES, section, told
from PIL import Image

import framework.data as data
from framework.core.errors import DataError
from framework.data.input_files import pictures_in


def facts_of(made: Any) -> dict[str, Any]:
    return json.loads(json.dumps(data.load(made).facts()))


@pytest.fixture
def iris() -> tuple[Any, dict[str, Any]]:
    made = section("iris")
    return made, facts_of(made)


def test_raw_training_examples_become_the_training_arrays(iris: tuple[Any, dict[str, Any]]) -> None:
    made, facts = iris
    raw = data.load(section("iris", normalize="none")).arrays("train")["features"]
    expected = data.load(made).arrays("train")["features"]
    np.testing.assert_array_equal(data.normalize_inputs({"features": raw}, facts)["features"], expected)
    np.testing.assert_array_equal(data.normalize_inputs(raw.astype(np.float64), facts)["features"], expected)


def test_an_image_of_bytes_without_channels_is_taken() -> None:
    facts = facts_of(section("digits", normalize="none"))
    pixels = np.full((2, 8, 8), 51, np.uint8)
    image = data.normalize_inputs(pixels, facts)["image"]
    assert (image.shape, image.dtype.name) == ((2, 8, 8, 1), "float32")
    np.testing.assert_array_equal(image, np.float32(0.2))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"feature": np.zeros((1, 4))}, r"inputs: no input is called 'feature'\n.*features\n.*'features'"),
        ({"label": np.zeros(1)}, "no input is called 'label'"),
        (np.zeros((1, 5)), r"array 'features' has shape \[1, 5\]\n +expected: +\[batch, 4\]"),
        (np.zeros(4), r"array 'features' has shape \[4\]\n +expected: +\[batch, 4\]"),
        (np.array([["a"] * 4]), "array 'features' is not made of numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(iris: tuple[Any, dict[str, Any]], arrays: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        data.normalize_inputs(arrays, iris[1])


def test_one_array_for_several_inputs_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=np.zeros((30, 2)), right=np.ones((30, 3)))
    facts = facts_of(section("npz", path=str(tmp_path / "a.npz")))
    with pytest.raises(DataError, match=r"one array is given\n.*a mapping of left, right"):
        data.normalize_inputs(np.zeros((1, 2)), facts)
    assert set(data.normalize_inputs({"right": np.zeros((1, 3))}, facts)) == {"right"}


def test_npz_and_npy_files(iris: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    made, facts = iris
    raw = np.random.default_rng(0).uniform(0, 7, (3, 4))
    expected = data.normalize_inputs(raw, facts)["features"]
    np.savez(tmp_path / "named.npz", features=raw, label=np.arange(3))
    np.savez(tmp_path / "only.npz", raw)
    np.save(tmp_path / "a.npy", raw)
    for name in ("named.npz", "only.npz", "a.npy"):
        got = data.read_inputs(tmp_path / name, made, facts)
        assert list(got) == ["features"]
        np.testing.assert_array_equal(got["features"], expected)


def test_columns_are_found_by_name_in_csv_tsv_and_parquet(iris: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    made, facts = iris
    names = list(reversed(facts["columns"]))
    raw = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    expected = data.normalize_inputs(raw[:, ::-1], facts)["features"]
    for suffix, mark in ((".csv", ","), (".tsv", "\t")):
        lines = [mark.join([*names, "note"]), *(mark.join([*map(str, row), "hello"]) for row in raw)]
        (tmp_path / f"a{suffix}").write_text("\n".join(lines))
    pq.write_table(pa.table(dict(zip(names, raw.T, strict=True))), tmp_path / "a.parquet")
    for suffix in (".csv", ".tsv", ".parquet"):
        np.testing.assert_array_equal(data.read_inputs(tmp_path / f"a{suffix}", made, facts)["features"], expected)


def test_a_table_uses_the_runs_categories_fill_and_delimiter(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x;colour;y\n" + "1;red;0\n3;blue;1\n;green;2\n" * 10)
    made = section(
        "csv", path=str(tmp_path / "t.csv"), target="y", categorical={"colour": None}, missing="zero", delimiter=";",
        normalize="none",
    )  # fmt: skip
    facts = facts_of(made)
    (tmp_path / "new.csv").write_text("colour;x\nred;7\nblue;\n")
    got = data.read_inputs(tmp_path / "new.csv", made, facts)["features"]
    assert got.tolist() == [[7.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]]
    (tmp_path / "new.csv").write_text("colour;x\nblu;7\n")
    with pytest.raises(DataError, match=told("--input: ", "row 1 (line 2)", "holds the unknown category 'blu'")):
        data.read_inputs(tmp_path / "new.csv", made, facts)


def test_a_picture_is_read_as_the_run_saw_pictures(tmp_path: Path) -> None:
    made = section("digits", normalize="none")
    Image.fromarray(np.full((8, 8), 51, np.uint8)).save(tmp_path / "a.png")
    got = data.read_inputs(tmp_path / "a.png", made, facts_of(made))["image"]
    assert got.shape == (1, 8, 8, 1)
    np.testing.assert_array_equal(got, np.float32(0.2))
    pets = CASES["images"](tmp_path)
    Image.new("RGB", (40, 40), (255, 0, 0)).save(tmp_path / "big.jpg")
    assert data.read_inputs(tmp_path / "big.jpg", pets, facts_of(pets))["image"].shape == (1, 6, 4, 3)


def test_a_folder_of_pictures_is_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    made = section("digits", normalize="none")
    facts = facts_of(made)
    (tmp_path / "more").mkdir()
    for shade, name in enumerate(("a.png", "b.png", "more/a.png")):
        Image.fromarray(np.full((8, 8), 51 * shade, np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").touch()
    image = data.read_inputs(tmp_path, made, facts)["image"]
    assert [path.relative_to(tmp_path).as_posix() for path in pictures_in(tmp_path)] == ["a.png", "b.png", "more/a.png"]
    np.testing.assert_allclose(image[:, 0, 0, 0], [0, 0.2, 0.4], rtol=1e-6)
    with pytest.raises(DataError, match=r"--input: the folder '.*none' holds no image"):
        (tmp_path / "none").mkdir()
        data.read_inputs(tmp_path / "none", made, facts)


def test_text_becomes_windows_of_the_context(tmp_path: Path) -> None:
    made = CASES["text"](tmp_path)
    facts = facts_of(made)
    letters = facts["learned"]["alphabet"]
    for text, windows in (
        ("be", ["be"]),
        ("12345678", ["12345678"]),
        ("1234567890", ["12345678", "34567890"]),
        ("1234567890123456", ["12345678", "90123456"]),
    ):
        (tmp_path / "new.txt").write_text(text)
        tokens = data.read_inputs(tmp_path / "new.txt", made, facts)["tokens"]
        assert ["".join(letters[token] for token in row) for row in tokens] == windows
        assert tokens.dtype == np.int32


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"hello", r"--input: 'a.txt' is no file for features\n +expected: +.npz, .csv, .parquet"),
        ("a.png", b"hello", "'a.png' is no file for features"),
        ("a.npz", b"hello", "--input: '.*a.npz' cannot be read as NPZ"),
        ("a.npy", b"hello", "--input: '.*a.npy' cannot be read as NPY"),
        ("a.csv", b"a,b\n1,2\n", r"--input: .*a.csv has no column 'sepal length \(cm\)'"),
    ],
)
def test_a_file_that_does_not_hold_the_inputs_is_refused(
    iris: tuple[Any, dict[str, Any]], tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        data.read_inputs(tmp_path / name, *iris)


def test_a_bad_cell_is_told_with_its_place_and_without_a_fix_of_the_recipe(
    iris: tuple[Any, dict[str, Any]], tmp_path: Path
) -> None:
    made, facts = iris
    (tmp_path / "a.csv").write_text(",".join(facts["columns"]) + "\n1,2,3,four\n,2,3,4\n")
    with pytest.raises(DataError) as caught:
        data.read_inputs(tmp_path / "a.csv", made, facts)
    assert {problem.key for problem in caught.value.problems} == {"--input"}
    assert [problem.fix for problem in caught.value.problems] == [None, None]
    assert "row 1 (line 2), column 'petal width (cm)' holds 'four'" in str(caught.value)
    assert "row 2 (line 3), column 'sepal length (cm)' has no value" in str(caught.value)


def test_other_arrays_and_missing_files_are_refused(iris: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((1, 4)), y=np.zeros(1))
    with pytest.raises(DataError, match=r"holds the arrays x, y\n +expected: +at least one of features"):
        data.read_inputs(tmp_path / "a.npz", *iris)
    with pytest.raises(DataError, match=r"--input: there is no file '.*b.npz'(.|\n)*--input=.*a.npz"):
        data.read_inputs(tmp_path / "b.npz", *iris)


def test_pickles_are_refused_as_inputs(iris: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", features=np.array([{}], object))
    np.save(tmp_path / "a.npy", np.array([{}], object))
    with pytest.raises(DataError, match="holds pickled objects in features"):
        data.read_inputs(tmp_path / "a.npz", *iris)
    with pytest.raises(DataError, match="cannot be read as NPY: Object arrays cannot be loaded"):
        data.read_inputs(tmp_path / "a.npy", *iris)
