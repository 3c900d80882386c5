"""The training display tells where training is, and stays quiet enough not to slow it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from framework.report.console import Mode, TrainingDisplay
from framework.report.words import duration, number, rate


class Terminal:
    """A display on a made-up terminal, with a clock that is moved by hand."""

    def __init__(self, mode: Mode, *, terminal: bool, width: int = 100) -> None:
        self.now = 0.0
        self._file = io.StringIO()
        console = Console(file=self._file, force_terminal=terminal, width=width, color_system=None)
        self.display = TrainingDisplay(
            "digits_mlp",
            total_steps=1000,
            steps_per_epoch=100,
            batch_size=32,
            mode=mode,
            console=console,
            clock=lambda: self.now,
        )

    def train(self, dispatches: int, seconds: float = 0.1, start: int = 0) -> None:
        for index in range(start, start + dispatches):
            self.now += seconds
            step = 10 * (index + 1)
            self.display.record({"step": step, "epoch": step / 100, "split": "train", "loss": 1 / step})
            self.display.advance(step, 10, seconds)

    @property
    def written(self) -> str:
        return self._file.getvalue()


def test_plain_lines_tell_epoch_step_values_rate_and_time_left() -> None:
    terminal = Terminal("plain", terminal=False)
    terminal.train(2)
    terminal.display.record(
        {"step": 20, "epoch": 0.2, "split": "valid", "loss": 0.25, "accuracy": 0.97222, "epoch_": 1}
    )
    terminal.train(23, start=2)
    terminal.display.close()
    assert terminal.written.splitlines()[-1] == (
        "epoch 3/10  step 250/1,000  0:08 left  train  loss 0.004000  valid  loss 0.2500  accuracy 0.9722  epoch_ 1"
        "  100 steps/s  3,200 examples/s"
    )
    assert "\x1b" not in terminal.written


def test_plain_prints_at_most_one_line_a_second() -> None:
    terminal = Terminal("plain", terminal=False)
    for index in range(100):
        terminal.train(1, seconds=0.1, start=index)
        terminal.display.record({"step": 10 * (index + 1), "epoch": 0, "split": "valid", "loss": 1.0})
    terminal.display.close()
    assert 9 <= terminal.written.count("\n") <= 12


def test_a_bar_is_drawn_at_most_four_times_a_second() -> None:
    terminal = Terminal("bar", terminal=True)
    terminal.train(100, seconds=0.01)
    assert 3 <= terminal.written.count("digits_mlp") <= 5
    terminal.display.close()


def test_a_bar_ends_with_the_last_state_and_gives_the_cursor_back() -> None:
    terminal = Terminal("bar", terminal=True)
    with terminal.display:
        terminal.train(100)
    last = terminal.written.split("\x1b[2K")[-1]
    assert last.startswith("digits_mlp  epoch 10/10  step 1,000/1,000  ━━━")
    assert "100%" in last
    assert "train  loss 0.001000" in last
    assert "speed  100 steps/s  3,200 examples/s" in last
    assert terminal.written.rstrip().endswith("\x1b[?25h")


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_bar_never_wraps(width: int) -> None:
    terminal = Terminal("bar", terminal=True, width=width)
    terminal.train(10)
    terminal.display.record(
        {"step": 100, "epoch": 1, "split": "valid"} | {f"metric_{index}": 0.5 for index in range(20)}
    )
    terminal.display.close()
    frame = terminal.written.split("\x1b[2K")[-1].replace("\x1b[?25h", "")
    assert all(len(line) <= width for line in frame.splitlines())
    assert len(frame.strip().splitlines()) == 4


def test_auto_is_a_bar_on_a_terminal_and_plain_elsewhere() -> None:
    on, off = Terminal("auto", terminal=True), Terminal("auto", terminal=False)
    for terminal in (on, off):
        terminal.train(5)
        terminal.display.close()
    assert "━" in on.written
    assert "━" not in off.written
    assert off.written.startswith("epoch 1/10")


def test_none_is_silent() -> None:
    terminal = Terminal("none", terminal=True)
    terminal.train(100)
    terminal.display.close()
    assert terminal.written == ""


def test_nothing_is_drawn_for_a_run_that_had_nothing_to_do() -> None:
    for mode in ("bar", "plain"):
        terminal = Terminal(mode, terminal=True)
        terminal.display.close()
        assert terminal.written == ""


def test_compiling_does_not_count_into_rate_and_time_left() -> None:
    terminal = Terminal("plain", terminal=False)
    terminal.train(1, seconds=60.0)
    terminal.train(20, seconds=0.1, start=1)
    terminal.display.close()
    assert "0:08 left" in terminal.written.splitlines()[-1]
    assert "100 steps/s" in terminal.written.splitlines()[-1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97222, "0.9722"),
        (1.0, "1.000"),
        (12.345, "12.35"),
        (1234.5678, "1,235"),
        (0.00012345, "0.0001234"),
        (0.0000123, "1.23e-05"),
        (1234567.0, "1.23e+06"),
        (1234567, "1,234,567"),
        (0.0, "0"),
        (-0.5, "-0.5000"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123, "0.12"), (5.25, "5.2"), (312.4, "312"), (5312, "5,312"), (170_499, "170k"), (1_230_000, "1.2M")],
)
def test_rates_are_short(value: float, text: str) -> None:
    assert rate(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (7, "0:07"), (723, "12:03"), (11100, "3:05:00"), (187_800, "2 d 04:10")]
)
def test_durations_are_clock_times(seconds: float, text: str) -> None:
    assert duration(seconds) == text
