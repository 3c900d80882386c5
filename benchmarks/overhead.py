"""What keeping and telling cost: the transformer with checkpoints, and with its metric log and TensorBoard.

    python benchmarks/overhead.py [--seconds 200] [--every 50] [--json FILE] [OVERRIDE ...]

One run goes on in this process, in turns of so many steps as lie between two checkpoints, by one compiled program.
Turns come in pairs, a plain one beside one with a checkpoint in its midst or with every step recorded in metrics.jsonl
and TensorBoard, each first in every second pair. A turn ends when the checkpoint is on the disk. What is sought is less
than a machine's rate changes from minute to minute, but not from one turn to the next: so the median of the pairs'
ratios is told, with the interval of 95 % that drawing pairs anew gives (Efron, "Bootstrap methods", 1979).

The time by the clock is what counts. The processor time of all threads is moved less by what else the machine does, and
the share of its time that the training thread spends in observers and in saving is more than what they delay it by.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from machine import machine
from rich.console import Console
from rich.table import Table
from turns import pin
from workloads import recipe

from framework.build.experiment import Experiment
from framework.checkpoint import Checkpoints
from framework.config.compose import load
from framework.report.jsonl import MetricLog
from framework.report.tensorboard import TensorBoard
from framework.train.keeping import PlainKeeper
from framework.train.loop import Loop, Observer
from framework.train.observers import LogObserver
from framework.train.progress import Progress
from framework.train.runner import Runner
from framework.train.setup import Setup

PLAIN = "plain"
WANTED = {"checkpoints": 0.03, "records": 0.02}
DRAWS = 4000


@dataclass(frozen=True)
class Turn:
    """What one turn took, in seconds.

    Attributes:
      clock: by the clock.
      processor: of all threads of the process.
      inside: that the training thread was in observers and in saving.
    """

    clock: float
    processor: float
    inside: float


@dataclass
class Stopwatch:
    """Adds up the seconds that some calls take."""

    seconds: float = 0.0

    def timed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it."""
        started = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self.seconds += time.perf_counter() - started


@dataclass(frozen=True)
class Watched:
    """An observer whose calls are timed."""

    observer: Observer
    watch: Stopwatch

    def record(self, record: dict[str, Any]) -> None:
        """Tell it."""
        self.watch.timed(self.observer.record, record)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Tell it."""
        self.watch.timed(self.observer.advance, step, steps, seconds)

    def settle(self) -> None:
        """Tell it."""
        self.watch.timed(self.observer.settle)


@dataclass(frozen=True)
class WatchedKeeper:
    """Checkpoints whose calls are timed; the one that a loop writes at its end is left out."""

    keeper: PlainKeeper
    every: int
    watch: Stopwatch

    def save(self, step: int, state: Any, progress: dict[str, Any]) -> None:
        """Keep it, where it is due."""
        if step % self.every == 0:
            self.watch.timed(self.keeper.save, step, state, progress)

    def mark_best(self, step: int, value: float) -> bool:
        """Say so."""
        return self.watch.timed(self.keeper.mark_best, step, value)


@dataclass(frozen=True)
class Way:
    """A way to go on: the recipe's rhythm of checkpoints and records, and who is told."""

    experiment: Experiment
    observers: tuple[Observer, ...] = ()
    checkpoints: Checkpoints | None = None


@dataclass
class Training:
    """A run that goes on now in one way and now in another."""

    setup: Setup
    runner: Runner
    ways: dict[str, Way]
    every: int
    state: Any
    step: int = 0
    watch: Stopwatch = field(default_factory=Stopwatch)

    def run(self, way: str, steps: int) -> Turn:
        """Take so many steps in one way, and wait until they and a checkpoint are done."""
        going = self.ways[way]
        keeper = None
        if going.checkpoints is not None:
            keeper = WatchedKeeper(PlainKeeper(going.checkpoints, self.setup.strategy), self.every, self.watch)
        observers: list[Observer] = [Watched(observer, self.watch) for observer in going.observers]
        ahead = replace(going.experiment, total_steps=self.step + steps)
        loop = Loop(ahead, self.runner, None, self.state, Progress(), observers, keeper, self.step)
        clock, processor, inside = time.perf_counter(), time.process_time(), self.watch.seconds
        self.state = jax.block_until_ready(loop.run())
        if going.checkpoints is not None:
            going.checkpoints.wait()
        self.step += steps
        return Turn(time.perf_counter() - clock, time.process_time() - processor, self.watch.seconds - inside)


def prepared(folder: Path, overrides: Sequence[str], every: int, stack: ExitStack) -> Training:
    """The run, before its first step."""

    def loaded(*more: str) -> Any:
        return load(str(recipe("gpt")), [*overrides, *more])

    setup = Setup(loaded())
    runner = Runner(setup.experiment, setup.dataset, setup.strategy)
    stack.callback(runner.close)
    checkpoints = stack.enter_context(Checkpoints(folder / "checkpoints", keep=2))
    board = TensorBoard(folder / "tensorboard")
    stack.callback(board.close)
    plain = setup.experiment
    kept = replace(plain, config=loaded(f"checkpoint.every_steps={every}").config)
    told = replace(plain, config=loaded("trainer.log_every_steps=1").config)
    ways = {
        PLAIN: Way(plain),
        "checkpoints": Way(kept, checkpoints=checkpoints),
        "records": Way(told, (LogObserver(MetricLog(folder / "metrics.jsonl")), board)),
    }
    return Training(setup, runner, ways, every, setup.strategy.place_state(jax.jit(plain.init)()))


def measured(training: Training, seconds: float, pairs: int) -> dict[str, list[tuple[Turn, Turn]]]:
    """Pairs of a plain turn and one of each other way, until the time is over, but at least so many."""
    every = training.every
    # A checkpoint then comes in the midst of a turn, and is written while the next steps run, as in a longer run.
    for way, steps in ((PLAIN, every), ("records", every), ("checkpoints", every + every // 2)):
        training.run(way, steps)
    found: dict[str, list[tuple[Turn, Turn]]] = {way: [] for way in WANTED}
    until = time.monotonic() + seconds
    while time.monotonic() < until or len(found["records"]) < pairs:
        for way, taken in found.items():
            order = (PLAIN, way) if len(taken) % 2 == 0 else (way, PLAIN)
            turns = {each: training.run(each, every) for each in order}
            taken.append((turns[PLAIN], turns[way]))
    return found


def slower(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The median of ratios less one, and the ends of its interval of 95 %."""
    drawn = np.random.default_rng(0).choice(np.asarray(ratios), (DRAWS, len(ratios)))
    low, high = np.percentile(np.median(drawn, axis=1), (2.5, 97.5))
    return statistics.median(ratios) - 1, float(low) - 1, float(high) - 1


def summary(pairs: Sequence[tuple[Turn, Turn]]) -> dict[str, Any]:
    """What the pairs of one way came to, as shares."""
    return {
        "clock": slower([other.clock / plain.clock for plain, other in pairs]),
        "processor": slower([other.processor / plain.processor for plain, other in pairs]),
        "inside": statistics.median(other.inside / other.clock for _, other in pairs),
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=200, help="how long to measure (default: 200)")
    parser.add_argument("--every", type=int, default=50, help="steps between checkpoints, and of a turn (default: 50)")
    parser.add_argument("--pairs", type=int, default=3, help="at least so many pairs of each (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all turns to a file")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="of the recipe, to try a setting")
    options = parser.parse_intermixed_args(words)
    pin()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        training = prepared(Path(folder), options.overrides, options.every, stack)
        found = measured(training, options.seconds, options.pairs)
    rate = options.every / statistics.median(plain.clock for pairs in found.values() for plain, _ in pairs)
    table = Table(
        *("with", "pairs", "slower by the clock", "more processor time", "inside", "wanted"),
        title=f"what keeping and telling cost, of {rate:.1f} steps/s",
    )
    summaries = {way: summary(pairs) for way, pairs in found.items()}
    for way, told in summaries.items():
        spans = (f"{middle:.1%} ({low:.1%} to {high:.1%})" for middle, low, high in (told["clock"], told["processor"]))
        table.add_row(way, str(len(found[way])), *spans, f"{told['inside']:.2%}", f"below {WANTED[way]:.0%}")
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    if options.json:
        turns = {way: [[asdict(turn) for turn in pair] for pair in pairs] for way, pairs in found.items()}
        content = {"machine": machine(), "every": options.every, "slower": summaries, "turns": turns}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
