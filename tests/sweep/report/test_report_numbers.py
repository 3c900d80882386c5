"""What the report computes: bands, groups, fronts, importance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from trial_rows import sweep_of

from framework.sweep.report.curves import Curve, band
from framework.sweep.report.groupings import groupings
from framework.sweep.report.importance import Importance, importance
from framework.sweep.report.pareto import front


def test_a_band_holds_the_quartiles_of_those_that_got_there() -> None:
    steps = np.array([10, 20, 30])
    curves = [Curve(steps, np.full(3, value)) for value in (1.0, 2.0, 3.0, 4.0)]
    curves.append(Curve(steps[:1], np.array([5.0])))
    found = band(curves)
    assert found.steps.tolist() == [10, 20, 30]
    assert found.median.tolist() == [3.0, 2.5, 2.5]
    assert found.low.tolist() == [2.0, 1.75, 1.75]
    assert found.high.tolist() == [4.0, 3.25, 3.25]


def test_a_band_joins_curves_of_different_steps_along_straight_lines() -> None:
    found = band([Curve(np.array([0, 20]), np.array([0.0, 2.0])), Curve(np.array([0, 10, 20]), np.full(3, 3.0))])
    assert found.steps.tolist() == [0, 10, 20]
    assert found.median.tolist() == [1.5, 2.0, 2.5]


def test_a_band_of_curves_without_numbers_is_empty() -> None:
    assert len(band([Curve(np.array([5]), np.array([np.nan]))]).steps) == 0


def test_a_thinned_curve_keeps_its_ends() -> None:
    curve = Curve(np.arange(1000), np.arange(1000.0)).thinned(12)
    assert (len(curve.steps), curve.steps[0], curve.steps[-1]) == (12, 0, 999)


def test_trials_that_differ_in_the_seed_alone_are_a_group_and_the_best_group_comes_first() -> None:
    settings = itertools.product((1, 2), (8, 16), (0, 1))
    trials = [{"rate": rate, "width": width, "seed": seed} for rate, width, seed in settings]
    sweep = sweep_of(trials, [(float(9 - index // 2),) for index in range(8)])
    first = groupings(sweep)[0]
    assert first.name == "all swept keys but the seed"
    assert first.groups == (
        ("rate=2 width=16", (6, 7)),
        ("rate=2 width=8", (4, 5)),
        ("rate=1 width=16", (2, 3)),
        ("rate=1 width=8", (0, 1)),
    )


def test_values_drawn_from_an_interval_are_grouped_in_bins_of_equal_counts() -> None:
    generator = np.random.default_rng(0)
    sweep = sweep_of([{"rate": float(value)} for value in generator.uniform(0, 1, 40)], [(1.0,)] * 40)
    first = groupings(sweep)[0]
    assert [len(members) for _, members in first.groups] == [10, 10, 10, 10]


def test_the_front_holds_the_trials_that_no_other_beats() -> None:
    values = [(1.0, 0.5), (2.0, 0.9), (2.0, 0.8), (3.0, 0.9), None, (0.5, 0.4)]
    sweep = sweep_of([{"x": index} for index in range(6)], values, ("minimize", "maximize"))
    assert front(sweep) == [0, 1, 5]


def made(count: int, value: str, noise: float = 0.0) -> Importance:
    """The importance where the objective is the key `a`, the sum of `a` and `b`, or nothing but noise."""
    generator = np.random.default_rng(1)
    points = generator.uniform(size=(count, 2))
    trials = [{"a": float(a), "b": float(b), "seed": index % 3} for index, (a, b) in enumerate(points)]
    known = {"a": points[:, 0], "sum": points.sum(axis=1), "none": np.zeros(count)}[value]
    return importance(sweep_of(trials, [(float(cost),) for cost in known + noise * generator.normal(size=count)]))


def test_the_only_key_that_matters_explains_nearly_all() -> None:
    found = made(60, "a")
    assert next(iter(found.shares)) == "a"
    assert found.shares["a"] > 0.9
    assert max(found.shares["b"], found.shares["seed"]) < 0.05
    assert found.problem == ""


def test_two_keys_that_matter_alike_have_like_shares() -> None:
    found = made(120, "sum")
    assert found.shares["a"] == pytest.approx(0.5, abs=0.15)
    assert found.shares["b"] == pytest.approx(0.5, abs=0.15)


def test_noise_is_told_to_be_nothing_to_rely_on() -> None:
    assert "do not rely on this" in made(40, "none", noise=1.0).problem


def test_too_few_trials_have_no_importance_and_it_is_said_how_many_are_needed() -> None:
    found = made(8, "a")
    assert (found.shares, found.problem) == ({}, "needs 12 trials that are done; there are 8")


def test_a_loss_that_became_nan_counts_as_the_worst() -> None:
    trials = [{"rate": rate, "width": index % 4} for index, rate in enumerate([1.0] * 15 + [100.0] * 15)]
    costs = [(0.5 + 0.001 * index,) if index < 15 else None for index in range(30)]
    assert importance(sweep_of(trials, costs)).shares["rate"] > 0.8
