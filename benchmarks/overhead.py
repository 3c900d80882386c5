"""What keeping and telling cost: the transformer with checkpoints, and with its metric log and TensorBoard.

    python benchmarks/overhead.py [--steps 100] [--rounds 7] [--json FILE] [OVERRIDE ...]

Three loops over the same recipe run in this process and take turns: plain, with a checkpoint every 50 steps, and with
every step recorded in metrics.jsonl and TensorBoard. A turn ends when the last checkpoint is on the disk, though in a
run the next steps would go on meanwhile.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
from machine import machine
from rich.console import Console
from rich.table import Table
from turns import pin, turns
from workloads import recipe

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

WANTED = {"checkpoints": 0.03, "records": 0.02}


@dataclass
class Training:
    """A run in motion with what is kept and told of it."""

    setup: Setup
    runner: Runner
    observers: list[Observer] = field(default_factory=list)
    checkpoints: Checkpoints | None = None
    state: Any = None
    step: int = 0

    def run(self, steps: int) -> float:
        """Take so many steps; the seconds until they and all checkpoints are done."""
        setup = self.setup
        if self.state is None:
            self.state = setup.strategy.place_state(setup.experiment.init())
        keeper = PlainKeeper(self.checkpoints, setup.strategy) if self.checkpoints else None
        started = time.perf_counter()
        ahead = replace(setup.experiment, total_steps=self.step + steps)
        loop = Loop(ahead, self.runner, None, self.state, Progress(), self.observers, keeper, self.step)
        self.state = jax.block_until_ready(loop.run())
        if self.checkpoints:
            self.checkpoints.wait()
        self.step += steps
        return time.perf_counter() - started


def prepared(folder: Path, overrides: Sequence[str], every: int, stack: ExitStack) -> dict[str, Training]:
    """The three loops, each compiled and settled."""

    def training(*more: str) -> Training:
        setup = Setup(load(str(recipe("gpt")), [*overrides, *more]))
        runner = Runner(setup.experiment, setup.dataset, setup.strategy)
        stack.callback(runner.close)
        return Training(setup, runner)

    plain, kept = training(), training(f"checkpoint.every_steps={every}")
    told = training("trainer.log_every_steps=1")
    kept.checkpoints = stack.enter_context(Checkpoints(folder / "checkpoints", keep=2))
    board = TensorBoard(folder / "tensorboard")
    stack.callback(board.close)
    told.observers = [LogObserver(MetricLog(folder / "metrics.jsonl")), board]
    return {"plain": plain, "checkpoints": kept, "records": told}


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=100, help="steps of a turn (default: 100)")
    parser.add_argument("--every", type=int, default=50, help="steps between checkpoints (default: 50)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each loop (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all seconds to a file")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="of the recipe, to try a setting")
    options = parser.parse_intermixed_args(words)
    pin()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        loops = prepared(Path(folder), options.overrides, options.every, stack)
        for loop in loops.values():
            loop.run(options.steps)
        seconds: dict[str, list[float]] = {name: [] for name in loops}
        for order in turns(list(loops), options.rounds):
            for name in order:
                seconds[name].append(loops[name].run(options.steps))
    table = Table("loop", "steps/s", "slower by (median of rounds)", "wanted", title="what keeping and telling cost")
    slower: dict[str, float] = {}
    for name, taken in seconds.items():
        ratios = [one / base for one, base in zip(taken, seconds["plain"], strict=True)]
        slower[name] = statistics.median(ratios) - 1
        wanted = f"below {WANTED[name]:.0%}" if name in WANTED else ""
        rate = options.steps / statistics.median(taken)
        table.add_row(name, f"{rate:.1f}", f"{slower[name]:.1%}" if wanted else "", wanted)
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    if options.json:
        content = {"machine": machine(), "steps": options.steps, "seconds": seconds, "slower": slower}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
