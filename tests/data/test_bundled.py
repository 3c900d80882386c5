"""The bundled sets are those that scikit-learn itself loads."""

from __future__ import annotations

import numpy as np
import pytest
from data_cases import section, told
from sklearn import datasets

from framework.core.errors import DataError
from framework.data import bundled, describe
from framework.data.registry import call, loader


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_a_table_agrees_with_scikit_learn(name: str) -> None:
    collection = call(loader(name), section(name))
    theirs = getattr(datasets, f"load_{name}")()
    ours = collection.take(np.arange(len(collection)))
    np.testing.assert_array_equal(ours["features"], theirs.data.astype(np.float32))
    np.testing.assert_array_equal(ours["label"], theirs.target)
    assert collection.class_names == tuple(theirs.target_names)
    assert collection.facts["columns"] == list(theirs.feature_names)


def test_digits_agree_with_scikit_learn_and_lie_between_0_and_1() -> None:
    collection = call(loader("digits"), section("digits"))
    theirs = datasets.load_digits()
    ours = collection.take(np.arange(len(collection)))
    np.testing.assert_array_equal(ours["image"][..., 0] * 16, theirs.images)
    np.testing.assert_array_equal(ours["label"], theirs.target)
    assert (ours["image"].min(), ours["image"].max()) == (0.0, 1.0)


def test_diabetes_agrees_with_scikit_learn_in_the_units_of_the_data() -> None:
    collection = call(loader("diabetes"), section("diabetes"))
    features, target = datasets.load_diabetes(return_X_y=True, scaled=False)
    ours = collection.take(np.arange(len(collection)))
    np.testing.assert_allclose(ours["features"], features, rtol=1e-6)
    np.testing.assert_array_equal(ours["target"][:, 0], target)


@pytest.mark.parametrize(("name", "right"), [("digits", 10), ("iris", 3), ("wine", 3), ("breast_cancer", 2)])
def test_a_wrong_number_of_classes_is_refused_before_and_while_loading(name: str, right: int) -> None:
    wrong = section(name, classes=7)
    text = rf"data.classes: 7 classes are declared, but {name} has {right}\n.*\n +fix: +data.classes={right}$"
    with pytest.raises(DataError, match=text):
        describe(wrong)
    with pytest.raises(DataError, match=text):
        call(loader(name), wrong)


def test_a_missing_bundled_file_says_what_to_install() -> None:
    with pytest.raises(DataError, match=told("file nothing.csv is not installed", "pip install 'scikit-learn>=1.5'")):
        bundled.read_table("nothing.csv")
