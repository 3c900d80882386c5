"""Peak memory of training each model of benchmarks/peers.py: `fw` beside the hand-written loop.

    python benchmarks/memory.py [--models mlp cnn gpt] [--steps 64] [--rounds 3] [--json FILE]

Every measurement is a process of its own that compiles and trains, and then tells the most memory that it had resident.
Python, the libraries and the data are part of it on each side. `fw` also with the allocator of the system
(`FW_ALLOCATOR=system`), and, where the recipe knows the setting, with `trainer.memory=lean`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from machine import machine
from rich.console import Console
from rich.table import Table
from turns import Side, pin
from workloads import export, recipe

HERE = Path(__file__).parent
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


def sides(model: str, workload: Path, lean: bool) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Command and environment of each side."""
    fw = [sys.executable, str(HERE / "peers" / "side_fw.py"), str(recipe(model))]
    hand = [sys.executable, str(HERE / "peers" / "side_flax.py"), str(workload)]
    # A program that is read from a cache was not compiled, and compiling takes memory too.
    uncached = {"FW_CACHE": "off"}
    found = {"hand": (hand, {}), "auto": (fw, uncached), "system": (fw, uncached | {"FW_ALLOCATOR": "system"})}
    return found | ({"lean": ([*fw, "trainer.memory=lean"], uncached)} if lean else {})


def knows_lean() -> bool:
    """Whether recipes have the setting `trainer.memory`."""
    from framework.config.schema.training import Trainer

    return "memory" in Trainer.model_fields


def measure(model: str, names: Sequence[str], rounds: int, steps: int) -> dict[str, list[int]]:
    """Peaks in bytes of each side of one model, one for each round."""
    with tempfile.TemporaryDirectory() as folder:
        workload = Path(folder) / f"{model}.npz"
        found = {k: v for k, v in sides(model, workload, knows_lean()).items() if k in {"hand", *names}}
        export(model, workload)
        peaks: dict[str, list[int]] = {name: [] for name in found}
        for _ in range(rounds):
            for name, (command, environment) in found.items():
                peaks[name].append(peak(command, environment, steps))
        return peaks


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
    found = {model: measure(model, options.sides, options.rounds, options.steps) for model in options.models}
    table = Table(
        "model", "side", "peak, MiB", "of the loop by hand", title="most memory resident, median of processes"
    )
    ratios: dict[str, dict[str, float]] = {}
    for model, peaks in found.items():
        medians = {name: statistics.median(values) for name, values in peaks.items()}
        ratios[model] = {name: value / medians["hand"] for name, value in medians.items()}
        for name, value in medians.items():
            table.add_row(model, TITLES[name], f"{value / 2**20:,.0f}", f"{ratios[model][name]:.2f}")
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    if options.json:
        content = {"machine": machine(), "peaks": found, "ratios": ratios}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
