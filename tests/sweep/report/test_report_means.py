"""Means over seeds: closed forms, the order, and what stands where nothing is done."""

from __future__ import annotations

import math

import pytest
from trial_rows import sweep_of

from framework.cli import sweep as verb
from framework.report.words import plus_minus
from framework.sweep.report.means import are_repeated, settings_of

TRIALS = [{"rate": rate, "seed": seed} for rate in (1, 2, 3) for seed in (0, 1, 2)]
VALUES = [(5.0,), (7.0,), (9.0,), (1.0,), (2.0,), None, None, None, None]


def test_settings_have_the_mean_and_the_sample_deviation_of_the_trials_that_are_done_and_the_best_comes_first() -> None:
    settings = settings_of(sweep_of(TRIALS, VALUES))
    assert [dict(setting.parameters) for setting in settings] == [{"rate": 2}, {"rate": 1}, {"rate": 3}]
    assert [(len(setting.places), setting.done) for setting in settings] == [(3, 2), (3, 3), (3, 0)]
    second = settings[1].spreads["valid.a"]
    assert (second.mean, second.deviation, second.count) == (7.0, 2.0, 3)
    assert settings[0].spreads["valid.a"].deviation == pytest.approx(math.sqrt(0.5))
    assert settings[2].spreads == {}


def test_of_an_objective_to_maximize_the_greatest_mean_comes_first() -> None:
    settings = settings_of(sweep_of(TRIALS, VALUES, directions=("maximize",)))
    assert [setting.parameters["rate"] for setting in settings] == [1, 2, 3]


def test_settings_that_were_tried_once_are_no_repeats() -> None:
    once = settings_of(sweep_of([{"rate": 1, "seed": 0}, {"rate": 2, "seed": 0}], [(1.0,), (2.0,)]))
    assert not are_repeated(once)
    assert math.isnan(once[0].spreads["valid.a"].deviation)
    assert are_repeated(settings_of(sweep_of(TRIALS, VALUES)))


@pytest.mark.parametrize(
    ("mean", "deviation", "words"),
    [(0.5, 0.25, "0.5000 ± 0.2500"), (0.5, math.nan, "0.5000"), (math.nan, math.nan, "nan ± nan")],
)
def test_a_mean_is_told_with_its_deviation_where_it_has_one(mean: float, deviation: float, words: str) -> None:
    assert plus_minus(mean, deviation) == words


def test_the_command_prints_the_best_settings_with_how_many_runs_they_are_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("framework.sweep.report.gathered.gather", lambda folder: sweep_of(TRIALS, VALUES))
    monkeypatch.setattr(verb, "MOST_SETTINGS", 2)
    verb._print_means(sweep_of(TRIALS, VALUES).folder)
    lines = capsys.readouterr().out.split("\n")
    assert lines[1:4] == [
        "mean ± standard deviation over seeds",
        "rate    runs         valid.a",
        "2     2 of 3  1.500 ± 0.7071",
    ]
    assert lines[4:6] == [
        "1          3   7.000 ± 2.000",
        "and 1 more settings; all metrics of all: fw compare made",
    ]
