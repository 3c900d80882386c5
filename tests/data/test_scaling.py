"""Statistics come from the training split, and scaling can be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section

import framework.data as data
from framework.core.errors import DataError
from framework.data.protocol import ArraySource
from framework.data.statistics import Scaler, measure


def numbers(values: Any) -> ArraySource:
    return ArraySource({"features": np.asarray(values, np.float32)})


def everything(source: ArraySource) -> np.ndarray:
    return np.arange(len(source))


def npz(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "a.npz", **arrays)
    return str(folder / "a.npz")


def test_standard_is_mean_and_population_deviation_of_each_feature() -> None:
    source = numbers([[0.0, 10.0], [2.0, 30.0]])
    scaler = measure(source, everything(source), {"features": "standard"})["features"]
    assert (scaler.shift.tolist(), scaler.scale.tolist()) == ([1.0, 20.0], [1.0, 10.0])


def test_minmax_takes_the_training_split_to_0_and_1() -> None:
    source = numbers([[0.0, 10.0], [2.0, 30.0], [1.0, 15.0]])
    scaler = measure(source, everything(source), {"features": "minmax"})["features"]
    scaled = scaler.apply(source.take(everything(source))["features"])
    np.testing.assert_array_equal(scaled, [[0, 0], [1, 1], [0.5, 0.25]])


def test_chunks_merge_to_the_statistics_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(1e4, 3.0, (2500, 3)).astype(np.float32)
    source = numbers(values)
    scaler = measure(source, everything(source), {"features": "standard"})["features"]
    np.testing.assert_allclose(scaler.shift, values.astype(np.float64).mean(0), rtol=1e-7)
    np.testing.assert_allclose(scaler.scale, values.astype(np.float64).std(0), rtol=1e-6)


def test_a_constant_feature_becomes_zero() -> None:
    source = numbers([[0.1, 1.0]] * 3 + [[0.1, 2.0]])
    for method in ("standard", "minmax"):
        scaler = measure(source, everything(source), {"features": method})["features"]
        assert scaler.scale[0] == 1.0
        np.testing.assert_array_equal(scaler.apply(np.array([[0.1, 1.0]], np.float32))[0, 0], 0.0)


def test_an_image_is_scaled_by_channel() -> None:
    pixels = np.zeros((2, 3, 3, 2), np.float32)
    pixels[1, ..., 1] = 4.0
    scaler = measure(ArraySource({"image": pixels}), np.arange(2), {"image": "standard"})["image"]
    assert (scaler.shift.tolist(), scaler.scale.tolist()) == ([0.0, 2.0], [1.0, 2.0])


def test_the_whole_training_split_has_mean_0_and_deviation_1() -> None:
    features = data.load(section("wine")).arrays("train")["features"].astype(np.float64)
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(features.std(0), 1, atol=1e-6)


@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_an_outlier_outside_the_training_split_changes_no_statistic(tmp_path: Path, method: str) -> None:
    facts = []
    for outlier in (0.0, 1e6):
        features = np.arange(40, dtype=np.float32)[:, None].copy()
        features[30:] += outlier
        path = npz(tmp_path, features=features, target=features)
        fields = {"normalize": method, "normalize_target": method}
        dataset = data.load(
            section("npz", path=path, split={"type": "contiguous", "valid": 0.125, "test": 0.125}, **fields)
        )
        assert {name: len(view) for name, view in dataset.splits.items()} == {"train": 30, "valid": 5, "test": 5}
        facts.append(dataset.facts()["scalers"])
    assert facts[0] == facts[1]


def test_none_leaves_values_and_needs_no_scaler(tmp_path: Path) -> None:
    features = np.arange(40, dtype=np.float32)[:, None]
    dataset = data.load(section("npz", path=npz(tmp_path, features=features), normalize="none"))
    assert dataset.facts()["scalers"] == {}
    view = dataset.splits["train"]
    np.testing.assert_array_equal(dataset.arrays("train")["features"], features[view.indices])


def test_labels_and_whole_numbers_are_never_scaled(tmp_path: Path) -> None:
    path = npz(tmp_path, count=np.arange(40), weight=np.arange(40.0), label=np.arange(40) % 2)
    dataset = data.load(section("npz", path=path, classes=2))
    assert set(dataset.facts()["scalers"]) == {"weight"}
    assert dataset.spec["count"].dtype == "int32"


def test_a_scaled_target_is_taken_back_by_denormalize() -> None:
    made = section("diabetes", normalize_target="standard")
    scaled = data.load(made)
    raw = data.load(section("diabetes"))
    target = scaled.arrays("test")["target"]
    assert abs(float(target.mean())) < 1
    np.testing.assert_allclose(data.denormalize(target, scaled.facts()), raw.arrays("test")["target"], rtol=1e-5)
    np.testing.assert_array_equal(data.denormalize(target, raw.facts()), target)


def test_a_scaler_survives_its_facts_to_the_bit() -> None:
    scaler = Scaler(*np.array([[0.1, 1 / 3], [2.7, 1e-20], [0.5, 7.7]], np.float32))
    again = Scaler.from_facts(scaler.facts())
    for name in ("shift", "scale", "fill"):
        assert getattr(again, name).tobytes() == getattr(scaler, name).tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_example(tmp_path: Path, value: float) -> None:
    features = np.arange(40, dtype=np.float32)[:, None].copy()
    features[7] = value
    made = section("npz", path=npz(tmp_path, features=features), split={"type": "contiguous"})
    with pytest.raises(DataError, match=f"array 'features' holds {value} in example 7"):
        data.load(made)


def test_a_feature_missing_in_all_of_train_is_refused() -> None:
    source = numbers([[1.0, np.nan], [2.0, np.nan]])
    with pytest.raises(DataError, match="feature 1 of array 'features' is missing in all of train"):
        measure(source, everything(source), {"features": "standard"}, fill={"features": "mean"})
