"""Peak memory of training each model of benchmarks/peers.py: `fw` beside the hand-written loop.

    python benchmarks/memory.py [--models mlp cnn gpt] [--steps 64] [--rounds 3] [--json FILE]

Every measurement is a process of its own that compiles and trains, and then tells the most memory that it had resident.
Python, the libraries and the data are part of it on each side. `fw` also with the allocator of the system
(`FW_ALLOCATOR=system`), and with `trainer.memory=lean`. Beside it stands what the compiler says that one step needs for
results that are not kept, as `fw plan` tells it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from machine import machine
from rich.console import Console
from rich.table import Table
from turns import Side, limits, pin
from workloads import export, recipe

HERE = Path(__file__).parent
LEAN = ("trainer.memory=lean",)
MODELS = ("mlp", "cnn", "gpt")
TITLES = {
    "hand": "by hand, Flax and Optax",
    "auto": "fw",
    "lean": "fw, trainer.memory=lean",
    "system": "fw, FW_ALLOCATOR=system",
}


def peak(command: Sequence[str], environment: dict[str, str], steps: int) -> int:
    """The most bytes that a process had resident while it compiled and took so many steps."""
    side = Side(command[1], command, environment)
    try:
        side.wait_ready()
        side.run(steps)
        side.run(steps)
        return side.memory()
    finally:
        side.close()


def sides(model: str, workload: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Command and environment of each side."""
    fw = [sys.executable, str(HERE / "peers" / "side_fw.py"), str(recipe(model))]
    hand = [sys.executable, str(HERE / "peers" / "side_flax.py"), str(workload)]
    # A program that is read from a cache was not compiled, and compiling takes memory too.
    uncached = {"FW_CACHE": "off"}
    return {
        "hand": (hand, {}),
        "auto": (fw, uncached),
        "lean": ([*fw, *LEAN], uncached),
        "system": (fw, uncached | {"FW_ALLOCATOR": "system"}),
    }


def temporary(model: str, name: str, workload: Path) -> int:
    """The bytes that the compiled step of a side needs for what it does not keep. It compiles in this process."""
    if name != "hand":
        from framework.config.compose import load
        from framework.inspect.plan.compiling import measure as compiled

        return compiled(load(str(recipe(model)), LEAN if name == "lean" else ())).temporary
    sys.path.append(str(HERE / "peers"))
    from handwritten import train_step
    from side_flax import Flax  # pyright: ignore[reportMissingImports] - one folder below
    from workload import Workload  # pyright: ignore[reportMissingImports] - one folder below

    made = Flax(Workload.load(workload))
    program = train_step.lower(made.state, *next(made.stream)).compile()
    analysis = program.memory_analysis()
    assert analysis is not None  # the CPU tells
    return analysis.temp_size_in_bytes


@dataclass(frozen=True)
class Found:
    """What was measured of one side.

    Attributes:
      peaks: bytes resident at most, of each process.
      temporary: bytes that a step needs besides what it keeps.
    """

    peaks: list[int]
    temporary: int

    @property
    def peak(self) -> float:
        """Bytes, the median of the processes."""
        return statistics.median(self.peaks)


def measure(model: str, names: Sequence[str], rounds: int, steps: int) -> dict[str, Found]:
    """What each side of one model needs."""
    with tempfile.TemporaryDirectory() as folder:
        workload = Path(folder) / f"{model}.npz"
        chosen = {name: side for name, side in sides(model, workload).items() if name in {"hand", *names}}
        export(model, workload)
        peaks: dict[str, list[int]] = {name: [] for name in chosen}
        for _ in range(rounds):
            for name, (command, environment) in chosen.items():
                peaks[name].append(peak(command, environment, steps))
                print(f"{model}: {TITLES[name]}: {peaks[name][-1] / 2**20:,.0f} MiB", file=sys.stderr)
        found: dict[str, Found] = {}
        for name, taken in peaks.items():
            # The allocator changes nothing that is compiled.
            step = found["auto"].temporary if name == "system" and "auto" in found else temporary(model, name, workload)
            found[name] = Found(taken, step)
        return found


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument(
        "--sides", nargs="+", choices=list(TITLES), default=list(TITLES), help="beside the loop by hand"
    )
    parser.add_argument("--steps", type=int, default=64, help="steps of each of the two turns (default: 64)")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all peaks to a file")
    options = parser.parse_args(words)
    pin()
    os.environ.update({name: value for name, value in limits().items() if name != "PYTHONPATH"})
    found = {model: measure(model, options.sides, options.rounds, options.steps) for model in options.models}
    table = Table(
        *("model", "side", "peak, MiB", "of the loop by hand", "temporary, MiB", "of the loop by hand"),
        title="most memory resident, median of processes, and what the compiled step takes of it",
    )
    ratios: dict[str, dict[str, float]] = {}
    for model, beside in found.items():
        hand = beside["hand"]
        ratios[model] = {name: one.peak / hand.peak for name, one in beside.items()}
        for name, one in beside.items():
            peaks = (f"{one.peak / 2**20:,.0f}", f"{ratios[model][name]:.2f}")
            steps = (f"{one.temporary / 2**20:,.1f}", f"{one.temporary / max(1, hand.temporary):.2f}")
            table.add_row(model, TITLES[name], *peaks, *steps)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    if options.json:
        peaks = {model: {name: one.peaks for name, one in beside.items()} for model, beside in found.items()}
        steps = {model: {name: one.temporary for name, one in beside.items()} for model, beside in found.items()}
        content = {"machine": machine(), "peaks": peaks, "ratios": ratios, "temporary": steps}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
