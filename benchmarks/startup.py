"""Seconds from a command to its first finished step, as whole processes: `fw train` beside Keras and PyTorch.

    python benchmarks/startup.py [--peers FOLDER] [--rounds 5] [--json FILE]

A process starts, trains a perceptron on the digits for 20 steps, and ends; the clock stops when it has told the first
step: `fw` by the first line of metrics.jsonl (`trainer.log_every_steps=1`; it comes after at least nine steps, since
logs are read one execution late), the others by the first line that they print after their first step. `cold` has an
empty compile cache, `warm` one that a run before has filled. Processes take turns. The peers read the digits from a
file of NumPy, without the seconds that importing scikit-learn takes; `fw` reads scikit-learn's own file. At last `fw
--help` beside `python -c "import jax"`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from machine import machine
from rich.console import Console
from rich.table import Table
from turns import limits, pin, turns

HERE = Path(__file__).parent
CACHES = ("FW_CACHE", "JAX_COMPILATION_CACHE_DIR")
STEPS = ("trainer.steps=20", "trainer.epochs=null", "trainer.log_every_steps=1")


@dataclass(frozen=True)
class Start:
    """A command, and what says that its first step is finished.

    Attributes:
      words: makes the command, given a fresh folder.
      sign: a file below that folder; empty: its standard output. None: its end.
      cache: the variable that names a folder for compiled programs.
      warm: whether that folder is kept between rounds.
      settings: further variables.
    """

    title: str
    words: Callable[[Path], list[str]]
    sign: str | None = ""
    cache: str = ""
    warm: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


def starts(peers: Path, digits: Path) -> dict[str, Start]:
    """All commands, by name; those of absent peers are left out."""

    def train(folder: Path) -> list[str]:
        return [sys.executable, "-m", "framework", "train", "digits_mlp", f"run.dir={folder / 'run'}", *STEPS]

    def peer(name: str) -> Callable[[Path], list[str]]:
        python = str(peers / name / "bin" / "python")
        return lambda folder: [python, str(HERE / "peers" / f"start_{name}.py"), str(digits)]

    keras = {"KERAS_BACKEND": "jax"}
    kept = keras | {
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    found = {
        "fw cold": Start("fw train, cold", train, "run/metrics.jsonl", "FW_CACHE"),
        "fw warm": Start("fw train, warm", train, "run/metrics.jsonl", "FW_CACHE", warm=True),
        "keras": Start("Keras on JAX, no cache (its default)", peer("keras"), settings=keras),
        "keras cold": Start("Keras on JAX, cold", peer("keras"), "", "JAX_COMPILATION_CACHE_DIR", settings=kept),
        "keras warm": Start("Keras on JAX, warm", peer("keras"), "", "JAX_COMPILATION_CACHE_DIR", True, kept),
        "torch": Start("PyTorch", peer("torch")),
        "help": Start("fw --help", lambda folder: [sys.executable, "-m", "framework", "--help"], None),
        "import jax": Start("import jax", lambda folder: [sys.executable, "-c", "import jax"], None),
    }
    there = {home: (peers / home / "bin" / "python").exists() for home in ("keras", "torch")}
    return {name: start for name, start in found.items() if there.get(name.split()[0], True)}


def seconds(start: Start, cache: Path | None) -> float:
    """From the command to its sign.

    Args:
      cache: where compiled programs are kept; None for a new, empty folder.

    Raises:
      SystemExit: the command failed.
    """
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile() as errors:
        folder = Path(name)
        inherited = {name: value for name, value in os.environ.items() if name not in CACHES}
        variables = {start.cache: str(cache or folder / "cache")} if start.cache else {}
        began = time.perf_counter()
        process = subprocess.Popen(
            start.words(folder),
            cwd=folder,
            env={**inherited, **limits(), **start.settings, **variables},
            stdout=subprocess.PIPE if start.sign == "" else subprocess.DEVNULL,
            stderr=errors,
        )
        taken = _until_told(process, start.sign, folder, began)
        if process.stdout is not None:
            process.stdout.read()
            process.stdout.close()
        if process.wait():
            errors.seek(0)
            raise SystemExit(f"{start.title} ended with {process.returncode}:\n{errors.read().decode()[-2000:]}")
        return taken


def _until_told(process: subprocess.Popen[bytes], sign: str | None, folder: Path, began: float) -> float:
    if sign is None:
        process.wait()
    elif process.stdout is not None:
        process.stdout.readline()
    else:
        told = folder / str(sign)
        while process.poll() is None and not (told.exists() and told.stat().st_size):
            time.sleep(0.002)
    return time.perf_counter() - began


def measure(found: Mapping[str, Start], rounds: int, console: Console) -> dict[str, list[float]]:
    """Seconds of each command by round; they take turns."""
    results: dict[str, list[float]] = {name: [] for name in found}
    with tempfile.TemporaryDirectory() as folder:
        caches = {name: Path(folder) / name.replace(" ", "_") for name, start in found.items() if start.warm}
        for name, cache in caches.items():
            seconds(found[name], cache)
        for order in turns(list(found), rounds):
            for name in order:
                results[name].append(seconds(found[name], caches.get(name)))
                console.print(f"{found[name].title}: {results[name][-1]:.2f} s", style="dim", highlight=False)
    return results


RATIOS = (
    ("fw cold", "keras cold", "at most 1"),
    ("fw cold", "keras", "at most 1"),
    ("fw warm", "keras warm", "at most 0.6"),
    ("fw warm", "keras", "at most 0.6"),
    ("help", "import jax", "below 0.4"),
)
"""Which is compared with which, and what is wanted of it."""


def ratios(results: Mapping[str, Sequence[float]]) -> dict[tuple[str, str], float]:
    """Medians over rounds of the ratio within a round."""
    present = [(one, other) for one, other, _ in RATIOS if one in results and other in results]
    return {
        (one, other): statistics.median(a / b for a, b in zip(results[one], results[other], strict=True))
        for one, other in present
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", type=Path, default=HERE.parent / ".cache" / "peers", help="their environments")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command is started (default: 5)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these commands")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all seconds to a file")
    options = parser.parse_args(words)
    pin()
    with tempfile.TemporaryDirectory() as folder:
        digits = Path(folder) / "digits.npz"
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        np.savez(digits, inputs=(np.asarray(images) / 16).astype(np.float32), labels=labels)
        found = starts(options.peers.absolute(), digits)
        found = {name: start for name, start in found.items() if not options.only or name in options.only}
        results = measure(found, options.rounds, Console(stderr=True))
    table = Table("command", "seconds (median)", "lowest - highest", title="from command to the first finished step")
    for name, taken in results.items():
        table.add_row(found[name].title, f"{statistics.median(taken):.2f}", f"{min(taken):.2f} - {max(taken):.2f}")
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    measured = ratios(results)
    for one, other, wanted in RATIOS:
        if (one, other) in measured:
            console.print(f"{found[one].title} / {found[other].title}: {measured[one, other]:.2f} (wanted: {wanted})")
    if options.json:
        told = {f"{one} / {other}": value for (one, other), value in measured.items()}
        content = {"machine": machine(), "seconds": results, "ratios": told}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
