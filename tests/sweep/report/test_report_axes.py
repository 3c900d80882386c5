"""The axes of the charts: names, scales, places."""

from __future__ import annotations

import math

import pytest

from framework.sweep.report.axes import axes_of, short_names


def test_a_name_is_the_shortest_end_that_no_other_key_has() -> None:
    names = short_names(["optimizer.learning_rate", "a.dense.features", "b.dense.features", "optimizer.type"])
    assert list(names.values()) == ["learning_rate", "a.dense.features", "b.dense.features", "optimizer.type"]


@pytest.mark.parametrize(
    ("values", "declared", "kind"),
    [
        ([0.1, 0.2, 0.3], "0.1,0.2,0.3", "linear"),
        ([1e-4, 1e-3, 1e-2], "1e-4,1e-3,1e-2", "log"),
        ([16, 64, 256, 1024], "16,64,256,1024", "log"),
        ([1, 50, 100], "range(1,101,50)", "linear"),
        ([0.011, 0.012], "log(interval(1e-4,1e-1))", "log"),
        ([0.0, 1e-3, 1.0], "0,1e-3,1", "linear"),
        (["adam", "lion"], "adam,lion", "words"),
        ([True, False], "true,false", "words"),
    ],
)
def test_an_axis_is_logarithmic_where_its_values_are_powers_or_the_space_says_so(
    values: list[object], declared: str, kind: str
) -> None:
    (axis,) = axes_of([{"key": value} for value in values], {"key": {"values": declared}})
    assert axis.kind == kind


def test_a_value_lies_at_its_logarithm_or_its_place_and_an_unset_one_nowhere() -> None:
    trials = [{"rate": 1e-3, "optimizer": "adam"}, {"rate": 1e-1, "optimizer": "lion"}, {"rate": 1e-2}]
    rate, optimizer = axes_of(trials, {"rate": {"values": "log(interval(1e-3,1e-1))"}, "++optimizer": {}})
    assert rate.number(1e-1) == pytest.approx(-1)
    assert [optimizer.number("adam"), optimizer.number("lion")] == [0, 1]
    assert math.isnan(optimizer.number(None))


def test_seeds_are_told_from_other_keys() -> None:
    axes = axes_of([{"seed": 1, "data.split_seed": 2, "seedling": 3}], {})
    assert [axis.seed for axis in axes] == [True, True, False]
