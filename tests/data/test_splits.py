"""Who sees which example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section, write_images, write_npz, write_text

import framework.data as data
from framework.core.errors import DataError
from framework.data.protocol import ArraySource, Collection
from framework.data.splits import Shares, share_out


def collection(rows: int, classes: int | None = None, weights: tuple[int, ...] = ()) -> Collection:
    labels = None
    if classes is not None:
        labels = np.repeat(np.arange(classes), weights or [rows // classes] * classes).astype(np.int32)
        rows = len(labels)
    return Collection(ArraySource({"features": np.arange(rows, dtype=np.float32)[:, None]}), labels=labels)


def split(kind: str, **shares: Any) -> Any:
    return section("iris", split={"type": kind, **shares}).split


@pytest.mark.parametrize("kind", ["fraction", "stratified", "hash", "contiguous"])
def test_splits_are_disjoint_and_cover_everything(kind: str) -> None:
    result = share_out(collection(300, 3), split(kind, valid=0.2, test=0.1), seed=1)
    assert list(result) == ["train", "valid", "test"]
    assert sorted(np.concatenate(list(result.values())).tolist()) == list(range(300))


@pytest.mark.parametrize("kind", ["fraction", "stratified", "contiguous"])
def test_shares_are_kept_to_the_example(kind: str) -> None:
    result = share_out(collection(300, 3), split(kind, valid=0.2, test=0.1), seed=1)
    assert {name: len(rows) for name, rows in result.items()} == {"train": 210, "valid": 60, "test": 30}


def test_a_share_for_train_leaves_the_rest_out() -> None:
    for kind in ("fraction", "stratified", "contiguous"):
        result = share_out(collection(300, 3), split(kind, train=0.3, valid=0.2, test=0.1), seed=1)
        assert {name: len(rows) for name, rows in result.items()} == {"train": 90, "valid": 60, "test": 30}


def test_a_share_of_zero_means_no_such_split() -> None:
    assert list(share_out(collection(10), split("fraction", valid=0, test=0.5), seed=0)) == ["train", "test"]


@pytest.mark.parametrize("weights", [(100, 100, 100), (7, 50, 243), (1, 2, 297), (3,) * 100])
def test_stratified_keeps_each_class_within_one_example_of_its_share(weights: tuple[int, ...]) -> None:
    made = collection(0, len(weights), weights)
    result = share_out(made, split("stratified", valid=0.15, test=0.15), seed=3)
    assert made.labels is not None
    for name, share in (("valid", 0.15), ("test", 0.15)):
        counts = np.bincount(made.labels[result[name]], minlength=len(weights))
        assert np.all(np.abs(counts - share * np.array(weights)) <= 1)
        assert counts.sum() == 45


def test_stratified_examples_come_in_mixed_order() -> None:
    made = collection(0, 3, (100, 100, 100))
    train = share_out(made, split("stratified"), seed=0)["train"]
    assert made.labels is not None
    assert set(made.labels[train[:20]].tolist()) == {0, 1, 2}


@pytest.mark.parametrize("kind", ["fraction", "stratified", "hash"])
def test_another_split_seed_gives_another_split_and_the_same_one_the_same(kind: str) -> None:
    first, again, other = (share_out(collection(300, 3), split(kind), seed)["test"].tolist() for seed in (0, 0, 1))
    assert first == again
    assert set(first) != set(other)


def test_adding_examples_moves_no_old_one_between_hashed_splits() -> None:
    few = share_out(collection(200), split("hash", valid=0.2, test=0.2), seed=0)
    many = share_out(collection(500), split("hash", valid=0.2, test=0.2), seed=0)
    for name, rows in few.items():
        assert set(rows.tolist()) == {row for row in many[name].tolist() if row < 200}


def test_hashed_shares_are_near_what_was_asked() -> None:
    result = share_out(collection(4000), split("hash", valid=0.2, test=0.1), seed=0)
    # Four standard deviations of a binomial count.
    assert abs(len(result["valid"]) - 800) < 4 * np.sqrt(4000 * 0.2 * 0.8)
    assert abs(len(result["test"]) - 400) < 4 * np.sqrt(4000 * 0.1 * 0.9)


def test_rows_of_a_table_keep_their_hashed_split_when_rows_are_put_before_them(tmp_path: Path) -> None:
    rows = [f"{index / 3:.4f},{index % 2}" for index in range(120)]
    where = []
    for name, lines in (("old", rows[40:]), ("new", rows)):
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["value,kind", *lines]) + "\n")
        fields = {"path": str(path), "target": "kind", "classes": 2, "normalize": "none"}
        loaded = data.load(section("csv", **fields, split={"type": "hash", "valid": 0.2, "test": 0.2}))
        where.append({split: set(loaded.arrays(split)["features"][:, 0].tolist()) for split in loaded.splits})
    old, new = where
    assert all(old[name] <= new[name] for name in old)
    assert all(len(new[name]) > len(old[name]) for name in old)


def test_contiguous_splits_are_in_order() -> None:
    result = share_out(collection(10), split("contiguous", valid=0.2, test=0.3), seed=0)
    assert {name: rows.tolist() for name, rows in result.items()} == {
        "train": [0, 1, 2, 3, 4],
        "valid": [5, 6],
        "test": [7, 8, 9],
    }


@pytest.mark.parametrize("stride", [1, 3, None, 20])
def test_no_character_is_in_windows_of_two_splits(tmp_path: Path, stride: int | None) -> None:
    path = write_text(tmp_path / "a.txt")
    dataset = data.load(section("text", path=str(path), context=8, stride=stride))
    seen = {}
    for name, view in dataset.splits.items():
        starts = view.indices * (stride or 8)
        seen[name] = {int(start) + offset for start in starts for offset in range(9)}
    assert not (seen["train"] & seen["valid"] or seen["valid"] & seen["test"] or seen["train"] & seen["test"])
    assert max(seen["train"]) < min(seen["valid"]) <= max(seen["valid"]) < min(seen["test"])


def test_files_of_their_own_make_the_splits(tmp_path: Path) -> None:
    paths = {name: str(write_npz(tmp_path / f"{name}.npz", rows)) for name, rows in (("train", 20), ("test", 6))}
    fields = {"path": paths, "arrays": {"image": "x", "label": "y"}, "classes": 3}
    dataset = data.load(section("npz", **fields, split={"type": "named"}))
    assert {name: len(view) for name, view in dataset.splits.items()} == {"train": 20, "test": 6}


def test_a_split_that_the_source_does_not_name_is_cut_off_its_train(tmp_path: Path) -> None:
    paths = {name: str(write_npz(tmp_path / f"{name}.npz", rows)) for name, rows in (("train", 30), ("test", 6))}
    fields = {"path": paths, "arrays": {"image": "x", "label": "y"}, "classes": 3}
    described = section("npz", **fields, split={"type": "named", "valid": 0.2})
    assert data.describe(described).splits == ("train", "valid", "test")
    dataset = data.load(described)
    assert {name: len(view) for name, view in dataset.splits.items()} == {"train": 24, "valid": 6, "test": 6}
    assert dataset.splits["test"].indices.tolist() == list(range(30, 36))


def test_an_explicit_rule_shares_out_all_of_the_sources_own_splits(tmp_path: Path) -> None:
    paths = {name: str(write_npz(tmp_path / f"{name}.npz", rows)) for name, rows in (("train", 30), ("test", 10))}
    fields = {"path": paths, "arrays": {"image": "x", "label": "y"}, "classes": 3}
    dataset = data.load(section("npz", **fields, split={"type": "fraction", "valid": 0.25, "test": 0.25}))
    assert {name: len(view) for name, view in dataset.splits.items()} == {"train": 20, "valid": 10, "test": 10}


def test_counts_round_to_the_nearest_example() -> None:
    assert Shares(None, 0.15, 0.15).counts(10) == {"train": 6, "valid": 2, "test": 2}
    assert Shares(0.5, 0.1, 0.1).counts(14) == {"train": 7, "valid": 1, "test": 1}


def test_an_empty_split_is_told_with_its_numbers_and_the_fix() -> None:
    with pytest.raises(DataError) as caught:
        share_out(collection(4), split("fraction", valid=0.1, test=0.25), seed=0)
    assert str(caught.value) == (
        "data.split.valid: the split valid is empty: a share of 0.1 of about 4 examples (train 3, valid 0, test 1)\n"
        "  expected:  at least one example in every split\n"
        "  fix:       a larger share, or data.split.valid=0 for no valid split"
    )


def test_all_empty_splits_are_told_at_once() -> None:
    with pytest.raises(DataError) as caught:
        share_out(collection(2), split("fraction", valid=0.1, test=0.1), seed=0)
    assert [problem.key for problem in caught.value.problems] == ["data.split.valid", "data.split.test"]


def test_an_empty_split_of_the_sources_own_is_told(tmp_path: Path) -> None:
    paths = {name: str(write_npz(tmp_path / f"{name}.npz", rows)) for name, rows in (("train", 30), ("test", 0))}
    fields = {"path": paths, "arrays": {"image": "x", "label": "y"}, "classes": 3}
    with pytest.raises(DataError, match=r"the data's own split test holds no example \(train 27, valid 3, test 0\)"):
        data.load(section("npz", **fields))


@pytest.mark.parametrize(
    ("kind", "classes", "text"),
    [
        ("stratified", None, r"data.split.type: stratified, but the data has no class labels\n.*\n.*=fraction"),
        ("named", 3, r"data.split.type: named, but the data has no splits of its own\n.*\n.*=stratified"),
        ("named", None, r"data.split.type: named, but the data has no splits of its own\n.*\n.*=fraction"),
    ],
)
def test_a_rule_that_the_data_cannot_follow_is_refused(kind: str, classes: int | None, text: str) -> None:
    with pytest.raises(DataError, match=text):
        share_out(collection(30, classes), split(kind), seed=0)


def test_text_without_files_for_each_split_is_sent_to_contiguous(tmp_path: Path) -> None:
    made = section("text", path=str(write_text(tmp_path / "a.txt")), split={"type": "named"})
    for function in (data.describe, data.load):
        with pytest.raises(DataError, match=r"named, but the data has no splits of its own\n.*\n.*=contiguous"):
            function(made.model_copy(update={"context": 8}))


def test_such_a_rule_is_refused_without_loading_too() -> None:
    with pytest.raises(DataError, match="stratified, but the data has no class labels"):
        data.describe(section("diabetes", split={"type": "stratified"}))


def test_own_splits_without_a_train_are_refused(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets" / "test")
    with pytest.raises(DataError, match="auto, but of train, valid and test the data names test"):
        data.describe(section("images", path=str(root.parent), classes=2))
