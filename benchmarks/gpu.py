"""GPT-2 small in bfloat16 on one GPU: `fw` beside the same model hand-written in JAX, Flax Linen and Optax.

    python benchmarks/gpu.py [--batch-size 32] [--no-remat] [--attention cudnn] [--peak FLOPS] [--json FILE]

Tokens per second, share of the peak that the model's arithmetic takes (see `mfu`) and peak memory. Both sides take
turns in one process; the peak memory of each is read in a process of its own. Where there is no GPU, it says so and
ends well; `--device cpu --tiny` goes the whole way with a toy model on a CPU.
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
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gpt2
import jax
import numpy as np
from handwritten import HandWritten
from mfu import flops_per_token, mfu, peak_of
from rich.console import Console
from rich.table import Table
from step import Declared, Side, calibrate, rate

from framework.config.compose import load
from framework.inspect.plan.quantities import show_bytes
from framework.train.setup import Setup

RECIPE = "gpt2_small"
SIDES = ("fw", "hand")
WINDOWS = 256
"""Windows of random tokens to train on: what they say does not change how long a step takes."""

TINY = (
    "data.vocabulary=256",
    "data.context=32",
    "network.args.width=32",
    "network.args.depth=2",
    "network.args.heads=2",
)


@dataclass(frozen=True)
class Outcome:
    """What was measured; rates are in tokens per second, one per round, and memory is in bytes.

    Attributes:
      peak: FLOPs per second that the device is said to have; None: not known.
      memory: side -> the most that was in use, or None where the device does not tell.
    """

    device: str
    parameters: int
    tokens_per_step: int
    flops_per_token: float
    peak: float | None
    rates: dict[str, list[float]]
    memory: dict[str, int | None]

    @property
    def ratio(self) -> float:
        """The median over rounds of rate(fw) / rate(hand), each taken within its round."""
        return statistics.median(ours / theirs for ours, theirs in zip(*self.rates.values(), strict=True))

    def utilization(self, side: str) -> float | None:
        """The share of the peak at the median rate."""
        if self.peak is None:
            return None
        return mfu(statistics.median(self.rates[side]), self.flops_per_token, self.peak)


class Pair:
    """Both sides of one model, made when they are asked for."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.setup = Setup(load(RECIPE, [*_overrides(options, folder), *options.overrides]))
        self._attention = options.attention
        self._remat = not options.no_remat

    @property
    def tokens_per_step(self) -> int:
        """Tokens that a step is trained on."""
        data: Any = self.setup.config.data
        return data.batch_size * data.context

    def make(self, side: str) -> Declared | HandWritten:
        """One side, with its own copy of everything on the device."""
        if side == "fw":
            return Declared(self.setup)
        data: Any = self.setup.config.data
        width, depth, heads = self.sizes
        module = gpt2.Gpt2(data.vocabulary, width, depth, heads, self._remat, self._attention)
        arrays = self.setup.dataset.arrays("train")
        made = gpt2.optimizer(self.setup.experiment.total_steps)
        return HandWritten(module, made, arrays, inputs="tokens", labels="targets", batch_size=data.batch_size)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Width, depth and heads."""
        arguments: Any = self.setup.loaded.tree["network"]["args"]
        return arguments["width"], arguments["depth"], arguments["heads"]


def _overrides(options: argparse.Namespace, folder: Path) -> list[str]:
    """The recipe on random tokens in a folder and on one device, without validation."""
    return [
        *(TINY if options.tiny else ()),
        f"data.path={{train: {folder / 'tokens.bin'}, valid: {folder / 'tokens.bin'}}}",
        f"data.batch_size={options.batch_size}",
        "data.last_batch=drop",
        f"network.layers.stack.remat={str(not options.no_remat).lower()}",
        "parallel=single",
    ]


def write_tokens(folder: Path, tiny: bool) -> None:
    """Random tokens for `WINDOWS` windows, from a fixed seed."""
    vocabulary, context = (256, 32) if tiny else (50257, 1024)
    drawn = np.random.default_rng(0).integers(0, vocabulary, WINDOWS * context + 1)
    drawn.astype("<u2").tofile(folder / "tokens.bin")


def device(kind: str) -> Any:
    """The first device of a kind, or None where there is none."""
    try:
        return jax.devices(kind)[0]
    except RuntimeError:
        return None


def measure(options: argparse.Namespace, folder: Path) -> Outcome:
    """Both sides in turns; who begins changes from round to round."""
    memory = {side: _memory(side, options, folder) for side in SIDES}
    pair = Pair(options, folder)
    sides: dict[str, Declared | HandWritten] = {side: pair.make(side) for side in SIDES}
    counts = {name: side.parameters for name, side in sides.items()}
    if counts["fw"] != counts["hand"]:
        raise SystemExit(f"{counts['fw']} parameters in the recipe, {counts['hand']} written by hand")
    steps = {name: calibrate(side, options.seconds) for name, side in sides.items()}
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    for index in range(options.rounds):
        for name in SIDES if index % 2 == 0 else SIDES[::-1]:
            side: Side = sides[name]
            rates[name].append(rate(side, steps[name]) * pair.tokens_per_step)
    width, depth, _ = pair.sizes
    data: Any = pair.setup.config.data
    flops = flops_per_token(counts["fw"] - data.context * width, depth=depth, width=width, context=data.context)
    kind = device(options.device).device_kind
    peak = options.peak or peak_of(kind)
    return Outcome(kind, counts["fw"], pair.tokens_per_step, flops, peak, rates, memory)


def _memory(side: str, options: argparse.Namespace, folder: Path) -> int | None:
    """Peak memory of one side alone, because a device tells only of a whole process."""
    words = [sys.executable, __file__, *options.words, "--alone", side, "--folder", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the side '{side}' alone ended with {done.returncode}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def alone(options: argparse.Namespace) -> int | None:
    """The most bytes that a few steps of one side had in use."""
    Pair(options, options.folder).make(options.alone).run(8)
    stats: dict[str, int] = device(options.device).memory_stats() or {}
    return stats.get("peak_bytes_in_use")


def report(outcome: Outcome) -> None:
    """Print the table."""
    table = Table(title_justify="left", box=None)
    for column in ("", "tokens/s, median", "lowest - highest", "MFU", "peak memory"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for side, rates in outcome.rates.items():
        share, memory = outcome.utilization(side), outcome.memory[side]
        spread = f"{min(rates):,.0f} - {max(rates):,.0f}"
        table.add_row(
            "fw" if side == "fw" else "by hand",
            f"{statistics.median(rates):,.0f}",
            spread,
            "not known" if share is None else f"{share:.1%}",
            "not told" if memory is None else show_bytes(memory),
        )
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    console.print(
        f"{outcome.parameters:,} parameters on one {outcome.device}, {outcome.tokens_per_step:,} tokens a step"
    )
    console.print(table)
    console.print(f"fw / by hand: {outcome.ratio:.3f}")


def parsed(words: list[str]) -> argparse.Namespace:
    """The options, and the words that they were."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu", help="what to run on (default: gpu)")
    parser.add_argument("--tiny", action="store_true", help="a toy model, to see that all of it works")
    parser.add_argument("--batch-size", type=int, help="sequences of a step (default: 32, with --tiny 4)")
    parser.add_argument("--no-remat", action="store_true", help="keep all activations for the backward pass")
    parser.add_argument("--attention", choices=("xla", "cudnn"), default="xla", help="of the hand-written side")
    parser.add_argument("--peak", type=float, help="FLOPs per second of the device in bfloat16, e.g. 989e12")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side (default: 7)")
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long one turn takes (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers to a file")
    parser.add_argument("--alone", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="of the recipe's side, to try a setting")
    options = parser.parse_intermixed_args(words)
    options.batch_size = options.batch_size or (4 if options.tiny else 32)
    options.words = words
    return options


def main(words: list[str]) -> None:
    """Measure, or say that there is nothing to measure on."""
    options = parsed(words)
    warnings.simplefilter("ignore", UserWarning)
    # The two sides alone need the memory that this process would otherwise take as it starts.
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    if options.device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    if options.alone:
        print(json.dumps(alone(options)))
        return
    if device(options.device) is None:
        found = ", ".join(dict.fromkeys(one.device_kind for one in jax.devices()))
        print(f"nothing was measured: JAX {jax.__version__} finds no GPU but {found}; --device cpu --tiny tries it out")
        return
    with tempfile.TemporaryDirectory() as name:
        write_tokens(Path(name), options.tiny)
        outcome = measure(options, Path(name))
    report(outcome)
    if options.json:
        content = asdict(outcome) | {
            "jax": jax.__version__,
            "python": platform.python_version(),
            "batch_size": options.batch_size,
            "remat": not options.no_remat,
            "attention": options.attention,
            "ratio": outcome.ratio,
            "mfu": {side: outcome.utilization(side) for side in SIDES},
        }
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
