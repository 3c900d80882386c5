"""CSV and Parquet: columns become features, and every mistake is told with its row and column."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_cases import section, told

import framework.data as data
from framework.core.errors import DataError
from framework.data.registry import call, loader

GOOD = "age,colour,kind\n" + "1,red,a\n2.5,blue,b\n" * 10


class Csv:
    """Writes a CSV file and loads it with a few fields."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "t.csv"

    def section(self, text: str = GOOD, **fields: Any) -> Any:
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        given = {"path": str(self.path), "target": "kind", "classes": 2, "categorical": {"colour": None}}
        return section("csv", **(given | fields))

    def rows(self, text: str = GOOD, **fields: Any) -> dict[str, np.ndarray]:
        collection = call(loader("csv"), self.section(text, **fields))
        return collection.take(np.arange(len(collection)))

    def error(self, text: str = GOOD, **fields: Any) -> str:
        with pytest.raises(DataError) as caught:
            data.load(self.section(text, **fields))
        return str(caught.value).replace(str(self.path), "t.csv").replace(str(self.path.parent), ".")


@pytest.fixture
def csv(tmp_path: Path) -> Csv:
    return Csv(tmp_path)


def test_numbers_stay_and_categories_become_one_feature_each(csv: Csv) -> None:
    rows = csv.rows()
    assert rows["features"][:2].tolist() == [[1.0, 0.0, 1.0], [2.5, 1.0, 0.0]]  # age, blue, red
    assert rows["label"][:2].tolist() == [0, 1]
    assert rows["features"].dtype == np.float32


def test_declared_categories_keep_their_order_and_may_be_more_than_the_data_has(csv: Csv) -> None:
    rows = csv.rows(categorical={"colour": ["red", "green", "blue"]})
    assert rows["features"][:2].tolist() == [[1.0, 1.0, 0.0, 0.0], [2.5, 0.0, 0.0, 1.0]]


def test_one_hot_features_are_not_scaled(csv: Csv) -> None:
    features = data.load(csv.section()).arrays("train")["features"]
    assert set(features[:, 1:].reshape(-1).tolist()) == {0.0, 1.0}
    assert set(np.abs(features[:, 0]).round(4).tolist()) == {1.0}


def test_features_are_all_other_columns_but_the_excluded_or_those_named(csv: Csv) -> None:
    text = "id,x,y,kind\n" + "7,1,2,a\n8,3,4,b\n" * 5
    assert csv.rows(text, categorical={}, exclude=["id"])["features"][0].tolist() == [1.0, 2.0]
    assert csv.rows(text, categorical={}, features=["y", "id"])["features"][0].tolist() == [2.0, 7.0]


def test_several_real_valued_targets(csv: Csv) -> None:
    text = "x,u,v\n" + "1,2,3\n" * 5
    rows = csv.rows(text, target=["v", "u"], classes=None, categorical={})
    assert rows["target"][0].tolist() == [3.0, 2.0]
    assert rows["features"].shape == (5, 1)


def test_class_numbers_stand_for_themselves(csv: Csv) -> None:
    text = "x,kind\n" + "1,1\n1,0\n1,2\n"
    assert csv.rows(text, classes=3, categorical={})["label"].tolist() == [1, 0, 2]


def test_class_names_give_their_order(csv: Csv) -> None:
    made = csv.section(class_names=["b", "a"])
    assert data.load(made).classes == ("b", "a")
    assert csv.rows(class_names=["b", "a"])["label"][:2].tolist() == [1, 0]


def test_class_names_found_in_the_data_are_sorted_and_kept_in_the_facts(csv: Csv) -> None:
    facts = data.load(csv.section()).facts()
    assert facts["class_names"] == ["a", "b"]
    only_b = csv.section(GOOD.replace("1,red,a\n", ""), split={"type": "fraction"})
    dataset = data.load(only_b, facts=facts)
    assert set(dataset.arrays("train")["label"].tolist()) == {1}


def test_delimiter_quotes_blank_lines_spaces_and_a_byte_order_mark(csv: Csv) -> None:
    text = '\ufeffx;"note"; kind\n\n1.5; "a;b";yes\n 2 ;"c ""d""";no\n'
    rows = csv.rows(text, delimiter=";", exclude=["note"], categorical={})
    assert rows["features"].tolist() == [[1.5], [2.0]]


def test_several_files_are_read_one_after_another(csv: Csv) -> None:
    made = csv.section()
    other = csv.path.with_name("u.csv")
    other.write_text("kind,colour,age\nb,red,9\n")  # the order of columns may differ
    rows = call(loader("csv"), made.model_copy(update={"path": (str(csv.path), str(other))}))
    assert rows.take(np.array([20]))["features"].tolist() == [[9.0, 0.0, 1.0]]


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "n/a", "null", "?"])
def test_missing_values_are_refused_with_their_place_unless_a_policy_is_set(csv: Csv, cell: str) -> None:
    text = GOOD.replace("2.5", cell, 1)
    assert csv.error(text) == (
        "data.missing: t.csv row 2 (line 3), column 'age' has no value\n"
        "  expected:  a value in every row\n"
        "  fix:       data.missing=mean, zero or drop"
    )


def test_a_missing_number_becomes_the_mean_of_the_training_split(csv: Csv) -> None:
    text = "x,y\n" + "".join(f"{value},0\n" for value in (1, 3, "", 5, 100, "", 1000, 1000))
    fields = {
        "classes": None,
        "target": "y",
        "categorical": {},
        "split": {"type": "contiguous", "valid": 0, "test": 0.5},
    }
    train = {}
    for missing in ("mean", "zero"):
        dataset = data.load(csv.section(text, missing=missing, normalize="none", **fields))
        train[missing] = dataset.arrays("train")["features"][:, 0].tolist()
        assert dataset.arrays("test")["features"][1, 0] == {"mean": 3.0, "zero": 0.0}[missing]
    assert train == {"mean": [1.0, 3.0, 3.0, 5.0], "zero": [1.0, 3.0, 0.0, 5.0]}
    dropped = csv.rows(text, missing="drop", **(fields | {"split": {"type": "fraction"}}))
    assert dropped["features"][:, 0].tolist() == [1.0, 3.0, 5.0, 100.0, 1000.0, 1000.0]


def test_a_filled_mean_is_zero_once_it_is_standardised(csv: Csv) -> None:
    text = "x,kind\n" + "1,a\n3,b\n,a\n,b\n" * 5
    made = csv.section(text, missing="mean", categorical={}, split={"type": "contiguous", "valid": 0, "test": 0.2})
    train = data.load(made).arrays("train")["features"][:, 0]
    assert train.tolist() == [-1.0, 1.0, 0.0, 0.0] * 4


def test_a_missing_category_sets_no_feature(csv: Csv) -> None:
    rows = csv.rows(GOOD.replace("red", "", 1), missing="zero")
    assert rows["features"][0].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        (
            GOOD.replace("2.5", "two", 1),
            {},
            "data.path: t.csv row 2 (line 3), column 'age' holds 'two', not a finite number\n"
            "  expected:  a number\n"
            "  fix:       '+data.categorical.age=null' (categories), or data.exclude=['age']",
        ),
        (
            GOOD.replace("2.5", "two"),
            {},
            "row 2 (line 3), column 'age' holds 'two', not a finite number (10 such cells)",
        ),
        (GOOD.replace("2.5", "inf", 1), {}, "t.csv row 2 (line 3), column 'age' holds 'inf', not a finite number"),
        (GOOD, {"categorical": {}}, "t.csv row 1 (line 2), column 'colour' holds 'red', not a finite number"),
        (
            GOOD,
            {"categorical": {"colour": ["red", "blu"]}},
            "data.categorical.colour: t.csv row 2 (line 3), column 'colour' holds the unknown category 'blue'\n"
            "  expected:  red, blu\n"
            "  fix:       write 'blu' there",
        ),
        (
            GOOD,
            {"target": "kin"},
            "data.target: t.csv has no column 'kin'\n  expected:  age, colour, kind\n  fix:       data.target=kind",
        ),
        (
            GOOD,
            {"features": ["agge", "colour"]},
            "data.features: t.csv has no column 'agge'\n"
            "  expected:  age, colour, kind\n"
            "  fix:       'age' instead of 'agge'",
        ),
        (GOOD, {"exclude": ["nothing"]}, "data.exclude: t.csv has no column 'nothing'"),
        (GOOD, {"categorical": {"color": None}}, "data.categorical: t.csv has no column 'color'"),
        (
            GOOD,
            {"features": ["age", "kind"], "categorical": {}},
            "data.features: column 'kind' is a target and a feature",
        ),
        (GOOD, {"features": ["age"]}, "data.categorical: column 'colour' is no feature"),
        (GOOD, {"exclude": ["age", "colour"], "categorical": {}}, "data.features: no feature column is left in t.csv"),
        (GOOD, {"target": ["kind", "age"]}, "data.target: a class label cannot be in 2 columns: kind, age"),
        (
            GOOD,
            {"classes": None},
            "column 'kind' holds 'a', not a finite number (20 such cells)\n"
            "  expected:  a number\n"
            "  fix:       data.classes=N, if it is a class",
        ),
        (
            GOOD,
            {"classes": 3},
            "data.classes: 3 classes are declared, but the labels are of 2: a, b\n"
            "  expected:  2\n"
            "  fix:       data.classes=2",
        ),
        (
            GOOD,
            {"class_names": ["a", "bb"]},
            "data.classes: outside its classes: t.csv row 2 (line 3), column 'kind' holds the label 'b'; "
            "t.csv row 4 (line 5), column 'kind' holds the label 'b'; "
            "t.csv row 6 (line 7), column 'kind' holds the label 'b'; and 7 more\n"
            "  expected:  a, bb\n"
            "  fix:       write 'bb' there",
        ),
        (
            "x,kind\n1,0\n2,1\n3,4\n",
            {"categorical": {}},
            "outside its classes: t.csv row 3 (line 4), column 'kind' holds the label '4'\n"
            "  expected:  0 to 1\n"
            "  fix:       data.classes=5",
        ),
        (
            "x,kind\n1,0\n2,-1\n",
            {"categorical": {}},
            "holds the label '-1'\n  expected:  0 to 1\n  fix:       number the classes from 0",
        ),
        (
            GOOD.replace("blue,b", "blue,", 1),
            {"missing": "mean"},
            "data.missing: t.csv row 2 (line 3), column 'kind' has no value\n"
            "  expected:  a value in every row\n"
            "  fix:       data.missing=drop",
        ),
        (GOOD + "1,red\n", {}, "t.csv row 21 (line 22) has 2 cells\n  expected:  3, as the header has columns"),
        ("age,colour,kind\n", {}, "data.path: t.csv has no rows"),
        ("", {}, "the header of 't.csv' is empty"),
        ("age,,kind\n", {}, "the header of 't.csv' has no name for column 2"),
        ("age,age,kind\n", {}, "the header of 't.csv' names 'age' more than once"),
        ('age,colour,kind\n1,"red,a\n', {}, "t.csv line 2 is not valid CSV: unexpected end of data"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_fix(csv: Csv, text: str, fields: dict[str, Any], message: str) -> None:
    assert message in csv.error(text, **fields)


def test_mistakes_in_several_columns_are_told_at_once(csv: Csv) -> None:
    text = GOOD.replace("2.5", "two", 1).replace(",a", ",", 1)
    told = csv.error(text, categorical={"colour": ["red"]})
    for part in ("column 'age' holds 'two'", "the unknown category 'blue'", "column 'kind' has no value"):
        assert part in told


def test_text_in_another_encoding_is_refused(csv: Csv) -> None:
    csv.path.write_bytes("age,kind\n1,ä\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not UTF-8 text \(offset 11\)"):
        data.load(section("csv", path=str(csv.path), target="kind", classes=2))


def test_a_second_file_that_lacks_a_column_is_refused_before_loading(csv: Csv) -> None:
    made = csv.section()
    other = csv.path.with_name("u.csv")
    other.write_text("age,colr,kind\n1,red,a\n")
    with pytest.raises(DataError, match=r"u.csv has no column 'colour'\n.*\n.*'colr' instead of 'colour'"):
        data.describe(made.model_copy(update={"path": (str(csv.path), str(other))}))


def test_a_missing_file_is_told_with_the_closest_name(csv: Csv) -> None:
    made = csv.section().model_copy(update={"path": str(csv.path.with_name("tt.csv"))})
    for function in (data.describe, data.load):
        with pytest.raises(DataError) as caught:
            function(made)
        assert str(caught.value).replace(str(csv.path.parent), ".") == (
            "data.path: there is no file './tt.csv'\n  expected:  one of t.csv\n  fix:       data.path=./t.csv"
        )


def test_all_missing_files_are_told_at_once_and_a_missing_folder_is_named(tmp_path: Path) -> None:
    paths = {"train": str(tmp_path / "no" / "a.csv"), "test": str(tmp_path)}
    with pytest.raises(DataError) as caught:
        data.describe(section("csv", path=paths, target="kind"))
    first, second = caught.value.problems
    assert first.key == "data.path.train" and "no' does not exist" in first.found
    assert second.key == "data.path.test" and second.found.endswith("is a folder, not a file")


def parquet(folder: Path, **columns: Any) -> Any:
    pq.write_table(pa.table(columns), folder / "t.parquet")
    return str(folder / "t.parquet")


def test_parquet_columns_of_every_kind(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        whole=pa.array([1, 2, 3, 4], pa.int64()),
        real=pa.array([0.5, None, 1.5, 2.5], pa.float32()),
        yes=pa.array([True, False, True, True]),
        exact=pa.array([Decimal("1.5"), None, Decimal("2.5"), Decimal("0.5")]),
        word=pa.array(["a", "b", None, "a"]).dictionary_encode(),
        kind=pa.array([0, 1, 0, 1], pa.int8()),
    )
    made = section("parquet", path=path, target="kind", classes=2, categorical={"word": None}, missing="zero")
    rows = call(loader("parquet"), made).take(np.arange(4))
    np.testing.assert_array_equal(
        rows["features"],
        [[1, 0.5, 1, 1.5, 1, 0], [2, np.nan, 0, np.nan, 0, 1], [3, 1.5, 1, 2.5, 0, 0], [4, 2.5, 1, 0.5, 1, 0]],
    )
    assert rows["label"].tolist() == [0, 1, 0, 1]
    assert data.describe(made).arrays["features"].shape == (6,)


def test_parquet_mistakes_are_told_with_their_row(tmp_path: Path) -> None:
    path = parquet(tmp_path, x=[1.0, None, 2.0], kind=["a", "b", "a"])
    with pytest.raises(DataError, match=r"t.parquet row 2, column 'x' has no value"):
        data.load(section("parquet", path=path, target="kind", classes=2))
    with pytest.raises(DataError, match=r"t.parquet has no column 'kin'(.|\n)*data.target=kind"):
        data.describe(section("parquet", path=path, target="kin", classes=2))


def test_a_parquet_column_that_is_no_number_and_no_text_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, x=[[1.0], [2.0]], kind=["a", "b"])
    with pytest.raises(DataError, match=r"column 'x' is of type list<(.|\n)*data.exclude=\['x'\]"):
        data.load(section("parquet", path=path, target="kind", classes=2))


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=told("t.parquet' is not a Parquet file")):
        data.describe(section("parquet", path=str(tmp_path / "t.parquet"), target="b"))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path, x=[1.0], y=[2.0])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        DataError, match=r"need pyarrow, which is not installed(.|\n)*pip install 'framework\[parquet\]'"
    ):
        data.describe(section("parquet", path=path, target="y"))
