"""The terminal while a sweep runs: what it says, and when."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from framework.config.compose import load
from framework.config.schema.sweep import Sweep
from framework.sweep.grouping import grouped
from framework.sweep.members import Audience, Ending, Member
from framework.sweep.table import SweepTable

RECIPE = str(Path(__file__).parent / "recipes" / "small_mlp.yaml")


class Stage:
    """A table of two groups of two members each, with a clock that is set by hand."""

    def __init__(self, mode: str, *, terminal: bool, **section: object) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.file = io.StringIO()
        console = Console(file=self.file, force_terminal=terminal, width=110, color_system=None)
        self.table = SweepTable(self.said.append, console=console, clock=lambda: self.now)
        self.members = []
        for number, (width, rate) in enumerate([(8, 1e-3), (8, 1e-2), (4, 1e-3), (4, 1e-2)]):
            words = [f"network.layers.hidden.dense.features={width}", f"optimizer.learning_rate={rate}"]
            loaded = load(RECIPE, [*words, f"report.progress={mode}"])
            self.members.append(Member(number, loaded, Path(str(number))))
        self.table.expect(Sweep.model_validate(section), grouped(self.members))

    def validate(self, number: int, step: int, loss: float) -> None:
        self.table.record(number, {"step": step, "epoch": step / 4, "split": "valid", "loss": loss})

    def run_first_group(self) -> None:
        self.table.started([0, 1])
        for step in (2, 4):
            self.now += 6.0
            self.validate(0, step, 1.0 / step)
            self.validate(1, step, 2.0 / step)

    @property
    def lines(self) -> list[str]:
        return self.file.getvalue().splitlines()


def test_it_asks_to_be_told_of_groups_beforehand() -> None:
    assert isinstance(SweepTable(), Audience)


def test_without_a_terminal_a_line_is_printed_every_ten_seconds() -> None:
    stage = Stage("auto", terminal=False)
    stage.run_first_group()
    # At 12 s one of four members is half way and another a quarter; two steps were told of in six seconds.
    assert stage.lines == [
        "0/4 trials  2 running  group 1/2  best valid.loss 0.2500: features=8 learning_rate=0.001"
        "  0.33 steps/s  0:52 left"
    ]


def test_the_end_is_told_at_once_with_what_went_wrong() -> None:
    stage = Stage("plain", terminal=True)
    stage.table.started([0, 1, 2, 3])
    stage.table.ended(0, Ending("done", {"valid.loss": 0.5}, 1.0))
    stage.table.ended(1, Ending("non_finite", {}, 1.0, "loss became nan"))
    stage.table.ended(2, Ending("pruned", {"valid.loss": 0.1}, 1.0))
    assert stage.lines == []
    stage.table.ended(3, Ending("done", {"valid.loss": 0.25}, 1.0))
    assert stage.lines == [
        "4/4 trials  1 pruned  1 failed  group 2/2  best valid.loss 0.2500: features=4 learning_rate=0.01"
    ]


def test_the_greatest_is_best_where_the_sweep_maximizes() -> None:
    stage = Stage("plain", terminal=False, objective="valid.accuracy", direction="maximize", sampler="random", trials=9)
    stage.table.started([0, 1])
    for number, accuracy in ((0, 0.5), (1, 0.75)):
        stage.now += 12.0
        stage.table.record(number, {"step": 2, "epoch": 0.5, "split": "valid", "accuracy": accuracy})
    assert stage.lines[-1].startswith("0/4 (9 in all) trials  2 running  group 1/2  best valid.accuracy 0.7500: ")


def test_silence_is_kept_where_it_is_asked_for() -> None:
    stage = Stage("none", terminal=True)
    stage.run_first_group()
    stage.table.close()
    assert stage.lines == []


def test_on_a_terminal_groups_are_drawn_in_place_and_the_cursor_comes_back() -> None:
    stage = Stage("auto", terminal=True)
    with stage.table:
        stage.run_first_group()
        stage.table.say("something happened")
    drawn = stage.file.getvalue()
    last = drawn[drawn.rindex("sweep of small_mlp") :]
    assert [line.split() for line in last.splitlines()[1:4]] == [
        ["group", "trials", "structure", "best", "valid.loss"],
        ["1", "2", "features=8", "2", "running", "0.2500"],
        ["2", "2", "features=4", "2", "queued", "-"],
    ]
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1
    # Standard output is no terminal here, so that a line goes there and not above the table.
    assert stage.said == ["something happened"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_never_the_best(value: float | None) -> None:
    stage = Stage("plain", terminal=False)
    stage.table.started([0])
    stage.now = 20.0
    stage.table.record(0, {"step": 2, "split": "valid", "loss": value})
    assert "best" not in stage.lines[-1]
