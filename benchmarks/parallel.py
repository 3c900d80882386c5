"""What layouts over devices cost: time on one device beside plain `jax.jit`, bytes and collectives on several.

    python benchmarks/parallel.py [--models mlp transformer] [--rounds 7] [--seconds 2] [--devices 8 64] [--json FILE]

First, each layout runs on one device, where it has nothing to divide, in turns with `parallel=single`: what remains is
the cost of the layout itself. Then the step is compiled for simulated devices, and read for what each of them holds and
sends, beside what is predicted. Nothing is timed there: eight devices made out of one CPU tell nothing about speed.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
from predicted import sent
from rich.console import Console
from rich.table import Table
from step import Declared, calibrate

from framework.config.compose import load
from framework.inspect.plan.process import Request, measured
from framework.inspect.plan.quantities import show_bytes
from framework.parallel.choose import LayoutWarning
from framework.train.setup import Setup

RECIPES = Path(__file__).parent / "recipes"
MODELS = ("mlp", "cnn", "transformer")
LAYOUTS = ("pmap", "data", "fsdp", "tensor", "mesh")
ROWS = 64
"""Of a batch on simulated devices, or one row for each of more than so many."""


@dataclass(frozen=True)
class Overhead:
    """One layout of one model on one device; a ratio per round, of its time over that of plain jit beside it.

    Attributes:
      ratios: of time on the clock.
      processor: of time on the host's processors, which other work on the machine moves less.
    """

    model: str
    layout: str
    ratios: list[float]
    processor: list[float]

    @property
    def ratio(self) -> float:
        """The median by the clock."""
        return statistics.median(self.ratios)


@dataclass(frozen=True)
class Division:
    """One layout of one model on several devices: bytes that each holds and sends in a step, and its collectives."""

    model: str
    layout: str
    axes: dict[str, int]
    devices: int
    whole_state: int
    state: int
    temporary: int
    predicted: float
    sent: float
    collectives: dict[str, int]


def overheads(model: str, layouts: Sequence[str], rounds: int, seconds: float) -> list[Overhead]:
    """Every layout of a model in turns with plain jit.

    Each is measured between two turns of plain jit, whose mean it is compared with, so that a machine which grows
    slower does not count for or against it.
    """
    plain = _declared(model, "parallel=single")
    others = {layout: _declared(model, f"parallel={layout}", "parallel.devices=1") for layout in layouts}
    steps = calibrate(plain, seconds)
    for other in others.values():
        calibrate(other, seconds)
    rounds_of: dict[str, list[tuple[float, float]]] = {layout: [] for layout in layouts}
    for index in range(rounds):
        before = _times(plain, steps)
        for layout in layouts if index % 2 == 0 else layouts[::-1]:
            other = _times(others[layout], steps)
            after = _times(plain, steps)
            clock, processor = (2 * one / (first + last) for one, first, last in zip(other, before, after, strict=True))
            rounds_of[layout].append((clock, processor))
            before = after
    return [
        Overhead(model, layout, [clock for clock, _ in found], [processor for _, processor in found])
        for layout, found in rounds_of.items()
    ]


def _times(side: Declared, steps: int) -> tuple[float, float]:
    """Seconds on the clock and on processors that so many steps take."""
    clock, processor = time.perf_counter(), time.process_time()
    side.run(steps)
    return time.perf_counter() - clock, time.process_time() - processor


def _declared(model: str, *overrides: str) -> Declared:
    return Declared(Setup(load(_recipe(model), overrides)))


def _recipe(model: str) -> str:
    return str(RECIPES / f"step_{model}.yaml")


def divisions(model: str, wanted: Sequence[str], devices: int) -> list[Division]:
    """Every layout of a model compiled for so many simulated devices."""
    layouts: dict[str, tuple[str, ...]] = {name: (f"parallel={name}",) for name in ("pmap", "data", "fsdp")}
    if model == "transformer" and devices % 4 == 0:
        # Four heads are divided among four devices at most.
        layouts["tensor"] = ("parallel=mesh", f"parallel.axes={{data: {devices // 4}, fsdp: 1, tensor: 4}}")
        layouts["mesh"] = ("parallel=mesh", f"parallel.axes={{data: {devices // 4}, fsdp: 2, tensor: 2}}")
    found = []
    for layout, overrides in layouts.items():
        if layout not in wanted:
            continue
        words = (*overrides, f"parallel.devices={devices}", f"data.batch_size={max(ROWS, devices)}")
        got = measured(Request(_recipe(model), words, devices))
        if got is None:
            raise SystemExit(f"XLA does not simulate {devices} devices")
        kinds: dict[str, int] = {}
        for one in got.collectives:
            kinds[one.kind] = kinds.get(one.kind, 0) + one.count
        predicted = sent(load(_recipe(model), words), got.axes)
        sizes = (got.whole_state, got.state, got.temporary, predicted, got.sent)
        found.append(Division(model, layout, got.axes, devices, *sizes, kinds))
    return found


def report(times: list[Overhead], parts: list[Division]) -> None:
    """Print both tables."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table(
        title=f"time of a step on one {jax.devices()[0].device_kind} over that of plain jit",
        title_justify="left",
        box=None,
    )
    for column in ("model", "layout", "median", "lowest - highest", "processor time"):
        table.add_column(column, justify="left" if column in ("model", "layout") else "right", no_wrap=True)
    for one in times:
        spread = f"{min(one.ratios):.3f} - {max(one.ratios):.3f}"
        table.add_row(one.model, one.layout, f"{one.ratio:.3f}", spread, f"{statistics.median(one.processor):.3f}")
    if times:
        console.print(table)
    table = Table(title="one step on each of several devices", title_justify="left", box=None)
    for column in ("model", "layout", "devices", "state", "temporary", "predicted", "sent", "collectives"):
        words = column in ("model", "layout", "collectives")
        table.add_column(column, justify="left" if words else "right", no_wrap=True)
    for one in parts:
        kinds = ", ".join(f"{count} {kind}" for kind, count in one.collectives.items()) or "none"
        sizes = (show_bytes(number) for number in (one.state, one.temporary, one.predicted, one.sent))
        table.add_row(one.model, one.layout, str(one.devices), *sizes, kinds)
    if parts:
        console.print(table)


def main(words: list[str]) -> None:
    """Measure the models that the words name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side (default: 7); 0 leaves times out")
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long one turn takes (default: 2)")
    parser.add_argument(
        "--devices", type=int, nargs="*", default=[8], help="numbers of simulated devices (default: 8); none for times"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers to a file")
    options = parser.parse_args(words)
    warnings.simplefilter("ignore", LayoutWarning)
    times = [
        one
        for model in options.models
        if options.rounds
        for one in overheads(model, options.layouts, options.rounds, options.seconds)
    ]
    parts = [
        one for model in options.models for count in options.devices for one in divisions(model, options.layouts, count)
    ]
    report(times, parts)
    if options.json:
        content: dict[str, Any] = {
            "jax": jax.__version__,
            "python": platform.python_version(),
            "device": jax.devices()[0].device_kind,
            "overheads": [asdict(one) | {"ratio": one.ratio} for one in times],
            "divisions": [asdict(one) for one in parts],
        }
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
