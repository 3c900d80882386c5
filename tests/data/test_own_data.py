"""Data by `_target_`: what a function may give, and what is told where it gives something else."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from data_cases import Rows

import framework.data as data
from framework.config.compose import load
from framework.config.schema.data import OwnData
from framework.core.errors import ConfigError, DataError
from framework.data import ArraySpec


def blobs(*, rows: int, seed: int = 0) -> Any:
    """Arrays: four features and two classes."""
    x = np.random.default_rng(seed).normal(size=(rows, 4))
    return x, np.where(x[:, 0] > 0, "plus", "minus")


def by_split(rows: int) -> Any:
    """Sources by split."""
    return {"train": Rows(rows), "test": Rows(8)}


def failing() -> Any:
    raise OSError("no such disk")


def nothing() -> None:
    pass


def unlike() -> Any:
    """Splits of unlike examples."""
    other = Rows(4)
    other.spec = {"features": ArraySpec((2,), "float32")}
    return {"train": Rows(4), "test": other}


def untrue() -> Any:
    """A source that is not what its spec says."""
    made = Rows(20)
    made.spec = made.spec | {"features": ArraySpec((5,), "float32")}
    return made


def section(name: str, **words: Any) -> Any:
    return OwnData.read({"_target_": f"test_own_data.{name}", **words})


def test_arrays_of_a_function_are_data_as_those_in_memory_are() -> None:
    made = section("blobs", rows=50, classes=2, normalize="minmax")
    described, dataset = data.describe(made), data.load(made)
    assert dict(described.arrays) == dataset.spec
    assert (described.examples, dataset.classes) == (50, ("minus", "plus"))
    train = dataset.arrays("train")["features"]
    assert (train.min(), train.max()) == (0.0, 1.0)
    assert len(dataset.facts()["fingerprint"]) == 64


def test_sources_by_split_are_the_splits() -> None:
    dataset = data.load(section("by_split", rows=20, classes=4, split={"type": "named"}))
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 20, "test": 8}


WRONG: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "argument": (
        {"name": "blobs", "rwos": 3, "rows": 4, "classes": 2},
        ("data.rwos: test_own_data.blobs has no argument 'rwos'", "+data.rows=3"),
    ),
    "needed": ({"name": "blobs", "classes": 2}, ("data.rows: test_own_data.blobs needs the argument 'rows'",)),
    "classes": ({"name": "blobs", "rows": 20}, ("data.classes: test_own_data.blobs gives labels", "data.classes=2")),
    "failing": (
        {"name": "failing"},
        ("data: test_own_data.failing fails: OSError: no such disk (test_own_data.py, li",),
    ),
    "nothing": ({"name": "nothing"}, ("data: test_own_data.nothing gives nothing", "a return")),
    "unlike": ({"name": "unlike", "classes": 4}, ("the splits that test_own_data.unlike gives differ",)),
    "untrue": (
        {"name": "untrue", "classes": 4},
        ("test_own_data.untrue: take gives features float32[16, 3]", "features float32[16, 5], as spec says"),
    ),
    "label": (
        {"name": "by_split", "rows": 20, "classes": 3, "split": {"type": "named"}},
        ("data.classes: outside its classes: example 3 holds the label 3", "data.classes=4"),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_data_is_told(case: str) -> None:
    words, parts = WRONG[case]
    words = dict(words)
    with pytest.raises(ConfigError, match=r"(.|\n)*".join(map(re.escape, parts))):
        data.load(section(words.pop("name"), **words)).arrays("train")


def test_a_source_is_imported_only_where_it_is_trusted() -> None:
    words = ["~data.type", "~data.classes", "+data._target_=test_own_data.blobs", "+data.rows=30", "+data.classes=2"]
    with pytest.raises(ConfigError, match=r"data._target_: 'test_own_data.blobs' is not trusted"):
        load("wine_mlp", words)
    config = load("wine_mlp", [*words, "data.split.valid=0.2"], trust=("test_own_data",)).config
    assert data.describe(config.data).splits == ("train", "valid", "test")
    with pytest.raises(DataError, match="given"):
        data.load(load("wine_mlp", ["data=arrays", "data.classes=3"]).config.data)
