"""The terminal during training: a bar that moves, or a line now and then where there is no terminal."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from framework.report.words import duration, number, rate

Mode = Literal["auto", "bar", "plain", "none"]

_BAR_PERIOD_S = 0.25
_LINE_PERIOD_S = 1.0
_QUIET_PERIOD_S = 10.0
_SMOOTHING_S = 2.0
_BOOKKEEPING = ("step", "epoch", "split", "nonfinite")


class TrainingDisplay:
    """Shows how far training is, how fast, how long it will still take, and the latest losses and metrics.

    It is told of records and of finished steps as the loop goes, and draws at most four times a second, so that a fast
    loop is not slowed. Nothing is drawn before the first call.

    Args:
      name: the recipe's name.
      total_steps: the optimizer steps of the whole run.
      steps_per_epoch: optimizer steps.
      batch_size: examples per step.
      mode: `bar` draws in place, `plain` prints lines, `none` is silent; `auto` is `bar` on a terminal, else `plain`.
      console: where to draw; by default standard error, so that standard output holds results alone.
      clock: seconds, monotonic.
    """

    def __init__(
        self,
        name: str,
        *,
        total_steps: int,
        steps_per_epoch: int,
        batch_size: int,
        mode: Mode = "auto",
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._total = total_steps
        self._per_epoch = max(1, steps_per_epoch)
        self._batch = batch_size
        self._console = console or Console(stderr=True)
        movable = self._console.is_terminal and not self._console.is_dumb_terminal
        self._mode = ("bar" if movable else "plain") if mode == "auto" else mode
        self._clock = clock
        self._live: Live | None = None
        self._latest: dict[str, dict[str, Any]] = {}
        self._step = 0
        self._first: tuple[int, float] | None = None
        self._speed: float | None = None
        self._shown_at = float("-inf")
        self._shown_step = -1

    def record(self, record: Mapping[str, Any]) -> None:
        """Takes the latest values of a split."""
        self._step = max(self._step, record["step"])
        values = {name: value for name, value in record.items() if name not in _BOOKKEEPING}
        self._latest = dict(sorted((self._latest | {record["split"]: values}).items()))
        if record["split"] != "train":
            self._show(_LINE_PERIOD_S)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Takes note that training is at `step`, and that the last `steps` took so many seconds."""
        now = self._clock()
        if self._first is None:
            # The first dispatch holds the compilation, which says nothing about the rest of the run.
            self._first = (step, now)
        elif seconds > 0:
            latest = steps / seconds
            weight = min(1.0, seconds / _SMOOTHING_S)
            self._speed = latest if self._speed is None else self._speed + weight * (latest - self._speed)
        self._step = step
        self._show(_QUIET_PERIOD_S)

    def settle(self) -> None:
        """Nothing: a display keeps nothing."""

    def close(self) -> None:
        """Draws the last state, and gives the terminal back."""
        if self._mode == "none" or (not self._latest and self._step == 0):
            return
        if self._live is not None:
            self._live.update(self._frame(), refresh=True)
            self._live.stop()
            self._live = None
            atexit.unregister(self.close)
        elif self._mode == "plain" and self._shown_step != self._step:
            self._print()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _show(self, line_period_s: float) -> None:
        now = self._clock()
        if (
            self._mode == "none"
            or not self._latest
            or now - self._shown_at < (_BAR_PERIOD_S if self._mode == "bar" else line_period_s)
        ):
            return
        self._shown_at = now
        if self._mode == "plain":
            self._print()
        elif self._live is None:
            self._live = Live(self._frame(), console=self._console, auto_refresh=False)
            self._live.start(refresh=True)
            # The terminal's cursor is hidden from here on: it must come back however the process ends.
            atexit.register(self.close)
        else:
            self._live.update(self._frame(), refresh=True)

    def _print(self) -> None:
        self._shown_step = self._step
        left = self._seconds_left()
        parts = [f"epoch {self._epoch()}", f"step {self._step:,}/{self._total:,}"]
        parts += [f"{duration(left)} left"] if left is not None else []
        parts += [_values(split, values).plain for split, values in self._latest.items()]
        parts += self._speeds()
        self._console.print("  ".join(parts), highlight=False, markup=False, soft_wrap=True)

    def _frame(self) -> Group:
        line = Table.grid(padding=(0, 2), expand=True)
        for _ in range(3):
            line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True, justify="right")
        share = self._step / max(1, self._total)
        left = self._seconds_left()
        line.add_row(
            Text(self._name, style="bold"),
            Text(f"epoch {self._epoch()}"),
            Text(f"step {self._step:,}/{self._total:,}"),
            ProgressBar(total=max(1, self._total), completed=self._step),
            Text(f"{share:4.0%}" + (f"  {duration(left)} left" if left is not None else "")),
        )
        rows = [_values(split, values) for split, values in self._latest.items()]
        speed = Text("speed  ", style="dim", no_wrap=True).append("  ".join(self._speeds()), style="not dim")
        return Group(line, *rows, *([speed] if self._speed is not None else []))

    def _epoch(self) -> str:
        epochs = -(-self._total // self._per_epoch)
        return f"{min(epochs, max(1, -(-self._step // self._per_epoch)))}/{epochs}"

    def _speeds(self) -> list[str]:
        if self._speed is None:
            return []
        return [f"{rate(self._speed)} steps/s", f"{rate(self._speed * self._batch)} examples/s"]

    def _seconds_left(self) -> float | None:
        """By the clock since the first dispatch, so that validation and saving count as well."""
        if self._first is None or self._step <= self._first[0] or self._step >= self._total:
            return None
        step, moment = self._first
        return (self._clock() - moment) / (self._step - step) * (self._total - self._step)


def _values(split: str, values: Mapping[str, Any]) -> Text:
    text = Text(f"{split:<7}", style="dim", no_wrap=True, overflow="ellipsis")
    for name, value in values.items():
        if isinstance(value, int | float):
            text.append(f"{name} ", style="dim").append(number(value) + "  ", style="not dim")
    text.rstrip()
    return text
