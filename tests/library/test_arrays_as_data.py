"""Arrays in memory as data: what they become, what is refused, and what a run keeps of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import framework as fw
from framework.data.held import is_here

QUICK = ["trainer.epochs=null", "trainer.steps=1", "report.tensorboard=false", "trainer.compile=fast"]
QUICK += ["~metrics.f1", "~metrics.confusion", "network.layers.hidden.dense.features=4"]
X = np.random.default_rng(0).normal(size=(40, 5))
Y = np.array(["low", "mid", "high"])[np.arange(40) % 3]
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
DIGITS = np.arange(40) % 4
IDS = np.random.default_rng(0).integers(0, 30, (40, 9))
BY_SPLIT = {"train": (X[:30], Y[:30]), "valid": (X[30:], Y[30:])}


def told(*parts: str) -> str:
    return r"(.|\n)*".join(map(re.escape, parts))


@pytest.mark.parametrize(
    ("recipe", "data", "arrays", "learned"),
    [
        ("wine_mlp", (X, Y), {"features": "float64[5]", "label": "text"}, {"classes": 3}),
        ("wine_mlp", (X.tolist(), Y.tolist()), {"features": "float64[5]", "label": "text"}, {"classes": 3}),
        ("digits_mlp", (PIXELS, DIGITS), {"image": "uint8[8,8]", "label": "int64"}, {"classes": 4}),
        ("digits_mlp", (PIXELS, DIGITS[:, None]), {"image": "uint8[8,8]", "label": "int64"}, {"classes": 4}),
        ("digits_mlp", (jnp.asarray(PIXELS), jnp.asarray(DIGITS > 1)), {"image": "uint8[8,8]", "label": "bool"}, {}),
        ("digits_mlp", {"image": PIXELS, "label": DIGITS}, {"image": "uint8[8,8]", "label": "int64"}, {"classes": 4}),
        ("diabetes_regression", (X, X[:, 0]), {"features": "float64[5]", "target": "float64"}, {"classes": None}),
        ("diabetes_regression", (X, DIGITS), {"features": "float64[5]", "target": "int64"}, {"classes": None}),
        (
            "stdlib_gpt",
            (IDS[:, :-1], IDS[:, 1:]),
            {"tokens": "int64[8]", "targets": "int64[8]"},
            {"vocabulary": int(IDS.max()) + 1, "context": 8},
        ),
    ],
    ids=["words", "lists", "images", "column_of_labels", "jax", "names", "target", "whole_target", "tokens"],
)
def test_arrays_get_the_names_that_the_recipe_reads_and_tell_its_sizes(
    recipe: str, data: Any, arrays: dict[str, str], learned: dict[str, Any]
) -> None:
    experiment = fw.load(recipe, {"data.batch_size": 8}, data=data)
    section: Any = experiment.config.data
    assert (section.type, section.arrays, section.examples) == ("arrays", arrays, {"all": 40})
    assert {name: getattr(section, name) for name in learned} == learned
    assert sum(map(len, experiment.data.splits.values())) == 40


def test_examples_are_those_that_a_file_of_the_same_arrays_gives(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=PIXELS, label=DIGITS)
    split = ["data.split.type=stratified", "data.split.valid=0.2", "data.split.test=0.2"]
    words = ["data=npz", f"data.path={tmp_path / 'a.npz'}", "data.classes=4"]
    file, memory = fw.load("digits_mlp", [*words, *split]), fw.load("digits_mlp", split, data=(PIXELS, DIGITS))
    for split in ("train", "valid", "test"):
        here, there = memory.data.arrays(split), file.data.arrays(split)
        assert {name: array.tobytes() for name, array in here.items()} == {
            name: array.tobytes() for name, array in there.items()
        }


def test_named_splits_are_all_there_are_unless_an_override_asks_for_more() -> None:
    assert list(fw.load("wine_mlp", data=BY_SPLIT).data.splits) == ["train", "valid"]
    more = fw.load("wine_mlp", {"data.split.test": 0.2}, data=BY_SPLIT)
    assert {name: len(split) for name, split in more.data.splits.items()} == {"train": 24, "valid": 10, "test": 6}


def test_an_override_stands_above_what_the_arrays_tell() -> None:
    words = ["data.classes=6", "data.limit=4"]
    assert len(fw.load("digits_mlp", words, data=(PIXELS, DIGITS)).data.splits["train"]) == 4
    named = fw.load("digits_mlp", ["data.class_names=[a,b,c,d,e]"], data=(PIXELS, DIGITS))
    assert (named.classes, named.config.data.classes) == (tuple("abcde"), 5)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_data_frame_gives_numbers_and_categories() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"wide (cm)": X[:, 0], "soil": np.array(["clay", "sand"])[np.arange(40) % 2]})
    experiment = fw.load("wine_mlp", {"data.missing": "mean"}, data=(frame, pandas.Series(Y)))
    assert experiment.config.data.model_dump()["arrays"]["features"] == "float32[3]"
    assert experiment.data.facts()["learned"]["categorical"] == {"soil": ["clay", "sand"]}
    ones = experiment.data.arrays("train")["features"][:, 1:]
    assert set(ones.sum(axis=1).tolist()) == {1.0}
    with pytest.raises(fw.DataError, match=told("data: the data frame row 3, column 'soil' has no value", "fillna")):
        fw.load("wine_mlp", data=(frame.assign(soil=["clay"] * 2 + [None] * 38), Y))


REFUSED: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    "lengths": ("wine_mlp", (X, Y[:5]), ("data: the lengths differ: features has 40, label has 5", "[:5]")),
    "real_labels": ("wine_mlp", (X, X[:, 0]), ("data: array 'label' is of float64", "losses=regression")),
    "one_hot": ("wine_mlp", (X, np.eye(3)[DIGITS % 3]), ("array 'label' is one-hot: [40, 3]", "y.argmax(axis=1)")),
    "negative": ("wine_mlp", (X, DIGITS - 1), ("array 'label' holds -1", "from 0")),
    "one_class": ("wine_mlp", (X, DIGITS * 0), ("all labels are 0", "at least two classes")),
    "empty": ("wine_mlp", (X[:0], Y[:0]), ("array 'features' holds no example", "array 'label' holds no example")),
    "objects": ("wine_mlp", (X, [{}] * 40), ("array 'label' holds Python objects, such as dict", "np.stack")),
    "ragged": ("wine_mlp", ([[1, 2], [1]], [0, 1]), ("array 'features' is no array", "padding")),
    "rank": ("wine_mlp", (X[:, 0], Y), ("array 'features' has shape [40]", "[examples, features]", "x[:, None]")),
    "complex": ("wine_mlp", (X * 1j, Y), ("array 'features' is of complex128",)),
    "infinite": ("wine_mlp", (X * np.inf, Y), ("array 'features' is infinite in 40 of 40 examples, first in 0",)),
    "nan_targets": (
        "diabetes_regression",
        (X, np.where(np.arange(40) == 7, np.nan, 1.0)),
        ("array 'target' is NaN or infinite in 1 of 40 examples, first in 7", "np.isfinite"),
    ),
    "channels_first": (
        "digits_mlp",
        (np.zeros((40, 3, 8, 8)), DIGITS),
        ("data: images of shape [40, 3, 8, 8], with their channels first", "x.transpose(0, 2, 3, 1)"),
    ),
    "split_name": ("wine_mlp", {"train": (X, Y), "val": (X, Y)}, ("'val' stands beside splits", "'valid' instead")),
    "no_train": ("wine_mlp", {"test": (X, Y)}, ("data: splits without 'train': test",)),
    "unlike": (
        "wine_mlp",
        {"train": (X, Y), "test": (X[:, :3], Y)},
        ("data.test: holds features float64[3], label text", "features float64[5], label text, as train does"),
    ),
    "triple": ("wine_mlp", (X, Y, Y), ("data: a tuple of 3", "fix:       data=(x, y)")),
    "word": ("wine_mlp", "flowers.csv", ("data: found 'flowers.csv'", "data=(x, y)")),
    "mask": ("wine_mlp", {"features": X, "label": Y, "mask": Y}, ("is called 'mask'", "'token_mask'")),
    "wide": ("wine_mlp", {"features": X, "label": Y, "id": DIGITS + 2**40}, ("fit into int32",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_data_is_told_with_what_would(case: str) -> None:
    recipe, data, parts = REFUSED[case]
    with pytest.raises(fw.DataError, match=told(*parts)):
        fw.load(recipe, data=data)


def test_missing_inputs_are_refused_or_filled_as_the_recipe_says() -> None:
    gaps = np.where(np.arange(40)[:, None] == 3, np.nan, X)
    with pytest.raises(fw.DataError, match=told("data.missing", "holds NaN in 1 of 40 examples", "data.missing=mean")):
        _ = fw.load("wine_mlp", data=(gaps, Y)).data
    filled = fw.load("wine_mlp", {"data.missing": "zero"}, data=(gaps, Y)).data.arrays("train")
    assert np.isfinite(filled["features"]).all()


def test_data_that_is_given_twice_is_refused() -> None:
    with pytest.raises(fw.ConfigError, match=told("data: the data is given twice", "data=iris")):
        fw.load("wine_mlp", ["data=iris"], data=(X, Y))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps on arrays that nobody keeps."""
    path = tmp_path_factory.mktemp("arrays") / "run"
    fw.load("wine_mlp", QUICK, data={"train": (X.copy(), Y.copy())}).train(path)
    return path


def test_a_run_predicts_and_evaluates_other_arrays_without_its_own(run: Path) -> None:
    opened = fw.open_run(run)
    assert not is_here(opened.config.data.fingerprint)  # pyright: ignore[reportAttributeAccessIssue]
    assert opened.predict(X[:3]).shape == (3, 3)
    assert opened.classes == ("high", "low", "mid")
    with pytest.raises(fw.DataError, match=told("data.arrays: the data were arrays", "fw.open_run(PATH,")):
        opened.batch(0)
    with pytest.raises(fw.DataError, match="which are not in this process"):
        opened.train(run)
    with pytest.raises(fw.DataError, match=told("array 'features' has shape [40, 3]", "[examples, 5]")):
        opened.evaluate((X[:, :3], Y))
    with pytest.raises(fw.DataError, match=told("example 0 holds the label 'tall'", "high, low, mid")):
        opened.evaluate((X, ["tall"] * 40))
    again = fw.open_run(run, data={"train": (X, Y)}).evaluate("train")
    assert opened.evaluate((X, Y)) == pytest.approx(again, rel=1e-5)  # the same rows in another order


def test_other_arrays_are_refused_where_a_run_goes_on(run: Path) -> None:
    others = {"train": (X + 1, Y)}
    with pytest.raises(fw.DataError, match=told("data: other arrays than those of the run", "the same arrays in the")):
        fw.open_run(run, data=others)
    with pytest.raises(fw.RunError, match=told("holds a run of another recipe", "data.fingerprint: ")):
        fw.load("wine_mlp", QUICK, data=others).train(run)
