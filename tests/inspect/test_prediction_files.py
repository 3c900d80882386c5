"""Predictions on disk: one content in three formats."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from framework.core.errors import ConfigError
from framework.inspect.prediction_files import FORMATS, Prediction, check_output, write

LOGITS = np.asarray([[0.1, -2.5, 1 / 3], [7.0, 1e-7, 0.0]], np.float32)
PREDICTION = Prediction(
    {"logits": LOGITS, "class": LOGITS.argmax(-1).astype(np.int32), "score": np.asarray([0.5, 0.25], np.float32)},
    ("red", "green", "blue"),
)


@pytest.mark.parametrize("ending", FORMATS)
def test_the_number_of_rows_is_told(ending: str, tmp_path: Path) -> None:
    assert write(PREDICTION, tmp_path / f"out{ending}") == 2


def test_npz_holds_the_arrays_as_they_are(tmp_path: Path) -> None:
    write(PREDICTION, tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as file:
        assert {name: file[name].dtype for name in file.files} == {
            name: array.dtype for name, array in PREDICTION.outputs.items()
        }
        np.testing.assert_array_equal(file["logits"], LOGITS)


def test_csv_has_a_column_for_each_number_and_classes_by_name(tmp_path: Path) -> None:
    write(PREDICTION, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["logits.0", "logits.1", "logits.2", "class", "score"]
    assert [row["class"] for row in rows] == ["blue", "red"]
    found = [[row[f"logits.{i}"] for i in range(3)] for row in rows]
    np.testing.assert_array_equal(np.asarray(found, np.float32), LOGITS)


def test_json_has_a_line_for_each_row(tmp_path: Path) -> None:
    write(PREDICTION, tmp_path / "out.json")
    text = (tmp_path / "out.json").read_text()
    rows = json.loads(text)
    assert len(text.splitlines()) == 4
    assert rows[0] == {"logits": [0.1, -2.5, 0.33333334], "class": 2, "score": 0.5, "class_name": "blue"}
    np.testing.assert_array_equal(np.asarray([row["logits"] for row in rows], np.float32), LOGITS)


def test_an_unknown_ending_is_told_with_the_closest() -> None:
    with pytest.raises(ConfigError, match=r"unknown ending '\.cvs'(.|\n)*fix: +-o out\.csv"):
        check_output(Path("out.cvs"))


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match=r"the folder none does not exist(.|\n)*fix: +mkdir -p none"):
        check_output(Path("none/out.csv"))
