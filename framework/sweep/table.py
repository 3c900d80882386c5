"""The terminal while a sweep runs: its groups and how far they are, the best so far, speed and the time left."""

from __future__ import annotations

import atexit
import math
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from rich.console import Console
from rich.console import Group as Stack
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from framework.config.compose.loaded import Loaded
from framework.config.compose.text import ABSENT
from framework.config.schema.sweep import Sweep
from framework.config.validation.wording import as_override
from framework.report.words import duration, number, rate
from framework.sweep.directors import Watcher
from framework.sweep.grouping import Group, settings
from framework.sweep.members import Ending, Member
from framework.sweep.report.axes import short_names

Mode = Literal["auto", "bar", "plain", "none"]

_FRAME_S, _LINE_S, _WINDOW_S, _SHORTEST_S = 0.25, 10.0, 15.0, 1.0
_MOST_GROUPS = 8
_STYLES = {"done": "green", "pruned": "yellow", "running": "cyan", "queued": "dim"}
_BAD = ("failed", "non_finite", "out_of_memory")


class SweepTable(Watcher):
    """A director who decides nothing and shows where the sweep is: in place on a terminal, else a line now and then.

    It draws when it is told something, at most four times a second, and nothing before it is told of members.

    Args:
      tell: says a line where nothing is drawn in place.
      console: where to draw; by default standard error, so that standard output holds results alone.
      clock: seconds, monotonic.
    """

    def __init__(
        self,
        tell: Callable[[str], None] = lambda line: None,
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._console = console or Console(stderr=True)
        self._clock = clock
        self._mode: Mode = "none"
        self._live: Live | None = None
        self._groups: list[Group] = []
        self._group_of: dict[int, int] = {}
        self._members: dict[int, Member] = {}
        self._status: dict[int, str] = {}
        self._steps: dict[int, int] = {}
        self._share: dict[int, float] = {}
        self._values: dict[int, float] = {}
        self._objective, self._sign, self._trials = "", 1.0, 0
        self._begun: float | None = None
        self._window: deque[tuple[float, int]] = deque()
        self._shown_at = -math.inf

    def expect(self, section: Sweep, groups: Sequence[Group]) -> None:
        """These groups are about to run.

        Args:
          section: what trials are judged by.
          groups: in the order in which they run; later calls add to them.
        """
        for group in groups:
            for member in group.members:
                self._group_of[member.number] = len(self._groups)
                self._members[member.number] = member
                self._status[member.number] = "queued"
            self._groups.append(group)
        self._objective = section.objectives[0]
        self._sign = 1.0 if section.directions[0] == "minimize" else -1.0
        planned = 0 if section.sampler == "grid" else section.trials or 0
        self._trials = max(planned, len(self._members))
        if groups:
            self._mode = self._suited(groups[0].members[0].loaded.config.report.progress)

    def started(self, numbers: Sequence[int]) -> None:
        """They run."""
        self._begun = self._begun if self._begun is not None else self._clock()
        self._status |= dict.fromkeys(numbers, "running")
        self._show()

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        """Take the step, and the objective where the record holds it."""
        self._steps[number] = max(self._steps.get(number, 0), int(record["step"]))
        if number in self._members:
            self._share[number] = _share(self._members[number].loaded, record)
        split, _, name = self._objective.partition(".")
        if record["split"] == split:
            self._take(number, record.get(name))
        now = self._clock()
        if self._window and now - self._window[-1][0] < _FRAME_S:
            # A program tells of all its members at once, which is one measurement and not many.
            now = self._window.pop()[0]
        self._window.append((now, sum(self._steps.values())))
        while now - self._window[0][0] > _WINDOW_S:
            self._window.popleft()
        self._show()

    def ended(self, number: int, ending: Ending) -> None:
        """Count how it ended."""
        self._status[number] = ending.status
        self._share[number] = 1.0
        if ending.status == "done":
            self._values.pop(number, None)  # what it is judged by may be the last validation and not the best
            self._take(number, ending.metrics.get(self._objective))
        self._show(final=all(status not in ("queued", "running") for status in self._status.values()))

    def say(self, line: str) -> None:
        """Say a line: above the table where that is drawn, unless what is said goes to a file."""
        if self._live is not None and sys.stdout.isatty():
            self._console.print(Text(line, style="dim"), soft_wrap=True)
        else:
            self._tell(line)

    def close(self) -> None:
        """Draw the last state, and give the terminal back."""
        if self._live is not None:
            self._live.update(self._frame(), refresh=True)
            self._live.stop()
            self._live = None
            atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _suited(self, asked: Mode) -> Mode:
        movable = self._console.is_terminal and not self._console.is_dumb_terminal
        return ("bar" if movable else "plain") if asked == "auto" else asked

    def _take(self, number: int, value: Any) -> None:
        if isinstance(value, int | float) and math.isfinite(value):
            held = self._values.get(number, self._sign * math.inf)
            self._values[number] = self._sign * min(self._sign * held, self._sign * float(value))

    def _show(self, final: bool = False) -> None:
        now = self._clock()
        if self._mode == "plain":
            first = self._begun if self._begun is not None else now
            if final or now - max(self._shown_at, first) >= _LINE_S:
                self._shown_at = now
                self._console.print(self._line(), highlight=False, markup=False, soft_wrap=True)
        elif self._mode == "bar" and (final or now - self._shown_at >= _FRAME_S):
            self._shown_at = now
            if self._live is None:
                self._live = Live(self._frame(), console=self._console, auto_refresh=False, redirect_stdout=False)
                self._live.start(refresh=True)
                # The terminal's cursor is hidden from here on: it must come back however the process ends.
                atexit.register(self.close)
            else:
                self._live.update(self._frame(), refresh=True)

    # What is shown

    def _line(self) -> str:
        counts = self._counts(self._members)
        parts = [f"{self._over()}/{self._total()} trials"]
        parts += [f"{count} {word}" for word, count in counts.items() if word not in ("done", "queued")]
        if len(self._groups) > 1:
            parts.append(f"group {self._current() + 1}/{len(self._groups)}")
        best = self._best()
        parts += (
            [f"best {self._objective} {number(self._values[best])}: {self._named(best)}"] if best is not None else []
        )
        return "  ".join([*parts, *self._speed()])

    def _frame(self) -> Stack:
        over, expected = self._over(), len(self._members)
        line = Table.grid(padding=(0, 2), expand=True)
        for _ in range(2):
            line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True, justify="right")
        share = sum(self._share.values()) / max(1, expected)
        name = next(iter(self._members.values())).loaded.config.name if self._members else ""
        line.add_row(
            Text(f"sweep of {name}", style="bold"),
            Text(f"{over}/{self._total()} trials"),
            ProgressBar(total=1.0, completed=share),
            Text("  ".join([f"{share:4.0%}", *self._speed()])),
        )
        parts: list[Any] = [line]
        if len(self._groups) > 1:
            parts.append(self._table())
        else:
            parts.append(self._told(self._members))
        best = self._best()
        if best is not None:
            text = Text("best ", style="dim", no_wrap=True, overflow="ellipsis")
            text.append(f"{self._objective} {number(self._values[best])}", style="not dim bold green")
            parts.append(text.append(f"  trial {best}: {self._named(best)}", style="not dim"))
        return Stack(*parts)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
        table.add_column("group", justify="right")
        table.add_column("trials", justify="right")
        table.add_column("structure", no_wrap=True, overflow="ellipsis", max_width=46)
        table.add_column("", no_wrap=True)
        table.add_column(f"best {self._objective}", justify="right", no_wrap=True)
        start = max(0, min(self._current() - _MOST_GROUPS // 2, len(self._groups) - _MOST_GROUPS))
        labels = short_names(list(dict.fromkeys(key for group in self._groups for key in group.structural)))
        for index, group in list(enumerate(self._groups))[start : start + _MOST_GROUPS]:
            numbers = [member.number for member in group.members]
            values = [self._sign * self._values[each] for each in numbers if each in self._values]
            words = " ".join(f"{labels[key]}={_word(value)}" for key, value in group.structural.items())
            best = number(self._sign * min(values)) if values else "-"
            table.add_row(str(index + 1), str(len(numbers)), words or "-", self._told(numbers), best)
        return table

    def _told(self, numbers: Sequence[int] | Mapping[int, Any]) -> Text:
        parts = [
            Text(f"{count} {word}", style=_STYLES.get(word, "bold red"))
            for word, count in self._counts(numbers).items()
        ]
        return Text("  ").join(parts)

    def _counts(self, numbers: Sequence[int] | Mapping[int, Any]) -> dict[str, int]:
        """How many are in which status; what went wrong is one word."""
        found = Counter("failed" if self._status[each] in _BAD else self._status[each] for each in numbers)
        return {word: found[word] for word in ("running", "done", "pruned", "failed", "queued") if found[word]}

    def _over(self) -> int:
        return sum(status not in ("queued", "running") for status in self._status.values())

    def _total(self) -> str:
        known = len(self._members)
        return f"{known}" if known == self._trials else f"{known} ({self._trials} in all)"

    def _current(self) -> int:
        running = [self._group_of[each] for each, status in self._status.items() if status == "running"]
        over = [self._group_of[each] for each, status in self._status.items() if status != "queued"]
        return max(running or over or [0])

    def _best(self) -> int | None:
        sound = [each for each in self._values if self._status.get(each) not in (*_BAD, "pruned")]
        return min(sound, key=lambda each: self._sign * self._values[each], default=None)

    def _named(self, which: int) -> str:
        """The swept values of a trial."""
        group = self._groups[self._group_of[which]]
        tree = settings(self._members[which])
        values = {**group.structural, **{key: tree.get(key, ABSENT) for key in group.traced}}
        labels = short_names(list(values))
        return " ".join(f"{labels[key]}={_word(value)}" for key, value in values.items() if value is not ABSENT)

    def _speed(self) -> list[str]:
        found = []
        if len(self._window) > 1:
            (first, before), (last, after) = self._window[0], self._window[-1]
            if after > before and last - first >= _SHORTEST_S:
                found.append(f"{rate((after - before) / (last - first))} steps/s")
        share = sum(self._share.values()) / max(1, len(self._members))
        if self._begun is not None and 0.02 < share < 1:
            found.append(f"{duration((self._clock() - self._begun) * (1 - share) / share)} left")
        return found


def _share(loaded: Loaded, record: Mapping[str, Any]) -> float:
    """How much of its training a member has done."""
    trainer = loaded.config.trainer
    if trainer.steps is not None:
        return min(1.0, record["step"] / trainer.steps)
    return min(1.0, record.get("epoch", 0.0) / trainer.epochs) if trainer.epochs else 0.0


def _word(value: Any) -> str:
    if value is ABSENT:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else as_override(value)
