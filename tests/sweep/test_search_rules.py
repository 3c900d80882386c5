"""When a trial ends early: the rules over known curves."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from framework.config.schema.sweep import Hyperband, Median
from framework.sweep.members import Stop
from framework.sweep.search.curves import Curves
from framework.sweep.search.pruning import Pruning
from framework.sweep.search.rules import bracket, halving, hyperband, median

LOSS = "valid.loss"


def curves_of(folder: Path, *validations: dict[int, float], sign: float = 1.0) -> Curves:
    """Curves with these validations, at steps 10, 20, ..."""
    curves = Curves(folder, sign)
    for index, values in enumerate(validations):
        curves.add(10 * (index + 1), values)
    return curves


def test_the_median_ends_the_worse_half_once_and_not_half_of_the_rest_again(tmp_path: Path) -> None:
    settings = Median(type="median", after=0, trials=3)
    curves = curves_of(tmp_path, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0})
    ended = {number for number in range(4) if median(number, 1, curves, settings)}
    assert ended == {2, 3}
    assert median(2, 1, curves, settings) == "behind the median of 3 trials after 1 validation"
    curves.stop({2: "worse", 3: "worse"})
    curves.add(20, {0: 0.9, 1: 1.9})
    assert [median(number, 2, curves, settings) for number in (0, 1)] == [None, None]


def test_the_median_waits_for_validations_and_for_others(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, {0: 1.0, 1: 2.0, 2: 3.0})
    assert median(2, 1, curves, Median(type="median", after=1, trials=2)) is None
    assert median(2, 1, curves, Median(type="median", after=0, trials=3)) is None
    assert median(2, 1, curves, Median(type="median", after=0, trials=2)) is not None


def test_halving_keeps_a_share_at_growing_distances(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, {number: float(number) for number in range(9)})
    go_on = [number for number in range(9) if not halving(number, 1, curves, range(9), 1, 3)]
    assert go_on == [0, 1, 2]
    assert halving(8, 1, curves, range(9), 1, 3) == "not among the best 3 of 9 after 1 validation"
    for step in (20, 30):
        curves.add(step, {0: 5.0, 1: 0.5, 2: 4.0})
    assert [halving(number, 2, curves, range(9), 1, 3) for number in go_on] == [None] * 3
    # At the third validation the best yet of each count: 0.0, 0.5 and 2.0.
    assert [number for number in go_on if not halving(number, 3, curves, range(9), 1, 3)] == [0]


def test_the_first_to_come_goes_on_and_a_later_one_is_compared_with_it(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, {0: 1.0})
    assert halving(0, 1, curves, [0], 1, 2) is None
    curves.add(10, {1: 2.0})
    assert halving(1, 1, curves, [0, 1], 1, 2) is not None


def test_a_loss_that_is_no_number_is_the_worst(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, {0: math.nan, 1: 5.0})
    assert halving(0, 1, curves, [0, 1], 1, 2) is not None
    assert halving(1, 1, curves, [0, 1], 1, 2) is None


def test_greater_is_better_where_the_direction_says_so(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, {0: 0.9, 1: 0.5}, sign=-1.0)
    assert halving(0, 1, curves, [0, 1], 1, 2) is None
    assert halving(1, 1, curves, [0, 1], 1, 2) is not None


def test_brackets_fill_their_shares_evenly() -> None:
    # Shares 9/3 : 3/2 : 1, of 5.5.
    counts = [sum(bracket(number, 3, 3) == index for number in range(110)) for index in range(3)]
    assert counts == pytest.approx([60, 30, 20], abs=1)
    assert {bracket(number, 3, 3) for number in range(5)} == {0, 1, 2}


def test_hyperband_compares_within_a_bracket_and_later_ones_later(tmp_path: Path) -> None:
    settings = Hyperband(type="hyperband", first=1, factor=3, brackets=3)
    first = [number for number in range(30) if bracket(number, 3, 3) == 0]
    late = [number for number in range(30) if bracket(number, 3, 3) == 2]
    curves = curves_of(tmp_path, dict.fromkeys(late, 9.0) | {number: 1.0 + number for number in first})
    ended = [number for number in first if hyperband(number, 1, curves, settings)]
    assert len(ended) == len(first) - len(first) // 3
    assert not any(hyperband(number, 1, curves, settings) for number in late)


def test_what_is_kept_is_read_by_another_process_and_after_a_torn_line(tmp_path: Path) -> None:
    one, two = Curves(tmp_path, 1.0), Curves(tmp_path, 1.0)
    one.add(10, {0: 1.0})
    with (tmp_path / "values.jsonl").open("a") as file:
        file.write('{"step": 10, "val')
    two.add(10, {1: 2.0})
    one.refresh()
    assert {number: one.values(number) for number in one.numbers()} == {0: {10: 1.0}, 1: {10: 2.0}}


def test_a_verdict_outlives_its_process(tmp_path: Path) -> None:
    values = {number: {LOSS: float(number)} for number in range(4)}

    def rule(number: int, count: int, curves: Curves) -> str | None:
        return halving(number, count, curves, curves.numbers(), 1, 2)

    first = Pruning(Curves(tmp_path, 1.0), rule, LOSS)
    assert first.review(10, values) == {
        number: Stop("not among the best 2 of 4 after 1 validation") for number in (2, 3)
    }
    # The process dies before the trials have ended, and they are taken up; at this validation none is compared.
    again = Pruning(Curves(tmp_path, 1.0), lambda number, count, curves: None, LOSS)
    assert set(again.review(20, values)) == {2, 3}
    lines = [json.loads(line) for line in (tmp_path / "values.jsonl").read_text().splitlines()]
    assert sum("stopped" in line for line in lines) == 1
