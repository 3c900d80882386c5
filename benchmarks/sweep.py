"""Seconds from command to results of a sweep, beside the same runs in PyTorch and Keras, and one after another.

    python benchmarks/sweep.py [--peers FOLDER] [--rounds 3] [--parts mlp many cnn] [--json FILE]

Every side is a whole process, from its start to its end, and they take turns. `mlp` is 32 runs (8 learning rates x 4
seeds) of a small perceptron; `many` the same with 256 runs; `cnn` is 16 runs of digits_cnn (2 epochs) as one program
and one after another (`hydra/launcher=basic`). The peers train without validation and write nothing; `fw` validates
after each epoch, keeps the best and the last state of every run, and writes every run's directory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
RECIPE = str(HERE / "recipes" / "sweep_mlp.yaml")


def mlp(runs: int) -> list[str]:
    """The sweep of `runs` perceptrons."""
    rates = ",".join(f"{rate:.6g}" for rate in np.geomspace(1e-4, 1e-1, runs // 4))
    return [*_fw(), "sweep", RECIPE, f"optimizer.learning_rate={rates}", "seed=range(4)"]


def cnn(*more: str) -> list[str]:
    """The sweep of 16 convolutional networks."""
    rates = "optimizer.learning_rate=1e-4,3e-4,1e-3,3e-3"
    return [*_fw(), "sweep", "digits_cnn", rates, "seed=range(4)", "trainer.epochs=2", "report=quiet", *more]


def peer(homes: Path, name: str, runs: int) -> list[str]:
    """The same runs in another library."""
    return [str(homes.absolute() / name / "bin" / "python"), str(HERE / "peers" / f"sweep_{name}.py"), str(runs)]


def seconds(command: Sequence[str]) -> float:
    """How long a whole process takes, in a folder of its own.

    Raises:
      SystemExit: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, env={**os.environ, "KERAS_BACKEND": "jax"}, check=False
        )
        taken = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return taken


def measure(sides: dict[str, list[str]], rounds: int, console: Console) -> dict[str, list[float]]:
    """Seconds of each side by round; the sides take turns."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, command in sides.items():
            found[name].append(seconds(command))
            console.print(f"round {number + 1}: {name} {found[name][-1]:.2f} s", style="dim")
    return found


def _fw() -> list[str]:
    return [sys.executable, "-m", "framework"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder of their environments (make bench-peers)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=("mlp", "many", "cnn"), default=["mlp", "many", "cnn"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    sides: dict[str, list[str]] = {}
    if "mlp" in options.parts or "many" in options.parts:
        sides["fw, 32 runs"] = mlp(32)
    if "mlp" in options.parts and options.peers:
        sides |= {f"{name}, 32 runs": peer(options.peers, name, 32) for name in ("torch", "keras")}
    if "many" in options.parts:
        sides["fw, 256 runs"] = mlp(256)
    if "cnn" in options.parts:
        sides |= {"fw, 16 cnn": cnn(), "fw, 16 cnn one by one": cnn("hydra/launcher=basic")}
    found = measure(sides, options.rounds, console)
    medians = {name: statistics.median(values) for name, values in found.items()}
    table = Table("side", "seconds (median)", "rounds", "of its base")
    bases = {"torch, 32 runs": "fw, 32 runs", "keras, 32 runs": "fw, 32 runs", "fw, 256 runs": "fw, 32 runs"}
    bases["fw, 16 cnn one by one"] = "fw, 16 cnn"
    for name, value in medians.items():
        base = bases.get(name)
        rounds = " ".join(f"{item:.2f}" for item in found[name])
        table.add_row(name, f"{value:.2f}", rounds, f"{value / medians[base]:.2f} x {base}" if base else "")
    Console().print(table)
    if options.json:
        content = {"machine": platform.platform(), "cpus": os.cpu_count(), "seconds": found}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
