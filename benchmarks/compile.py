"""Seconds to trace and compile a training step of a GPT by its depth: through `repeat`, and written out block by block.

    python benchmarks/compile.py [--depths 6 12 24 48 96] [--unrolled 6 12 24] [--rounds 3] [--json FILE]

The network is that of benchmarks/recipes/step_transformer.yaml. What counts is how the time grows with depth: a copy
that gives the shape it takes is compiled once, however often it is repeated. The depths take turns, so that a slow
moment of the machine meets all of them, and nothing is taken from a cache.
"""

from __future__ import annotations

import os

os.environ["FW_CACHE"] = "off"
os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jax
from rich.console import Console
from rich.table import Table

from framework.config.compose import load
from framework.train.setup import Setup

RECIPE = str(Path(__file__).parent / "recipes" / "step_transformer.yaml")
BLOCK = "transformer_block: {heads: 4, causal: true}"
Way = tuple[str, int]


def overrides(way: Way) -> list[str]:
    """What makes the recipe's stack so deep."""
    how, depth = way
    if how == "repeat":
        return [f"network.layers.stack.repeat={depth}"]
    blocks = [f"+network.layers.block{index}={{{BLOCK}, before: norm}}" for index in range(depth)]
    return ["~network.layers.stack", *blocks]


def seconds(way: Way) -> tuple[float, float]:
    """Seconds to trace one training step and to compile it."""
    setup = Setup(load(RECIPE, overrides(way)))
    experiment = setup.abstract
    state = jax.eval_shape(experiment.init)
    batch = experiment.example_batch(setup.config.data.batch_size)
    jax.clear_caches()
    start = time.perf_counter()
    lowered = jax.jit(experiment.step).lower(state, batch)
    traced = time.perf_counter()
    lowered.compile()
    return traced - start, time.perf_counter() - traced


def report(found: dict[Way, list[tuple[float, float]]]) -> None:
    """Print the table."""
    table = Table(
        title=f"seconds on {jax.devices()[0].device_kind}, medians of {len(next(iter(found.values())))} rounds"
    )
    for column in ("blocks", "depth", "trace", "compile", "together", "of the shallowest"):
        table.add_column(column, justify="left" if column == "blocks" else "right")
    first: dict[str, float] = {}
    for (how, depth), rounds in found.items():
        trace, build = (statistics.median(part) for part in zip(*rounds, strict=True))
        both = statistics.median(sum(parts) for parts in rounds)
        ratio = both / first.setdefault(how, both)
        table.add_row(how, str(depth), f"{trace:.2f}", f"{build:.2f}", f"{both:.2f}", f"{ratio:.2f}")
    Console().print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--depths", nargs="+", type=int, default=[6, 12, 24, 48, 96])
    parser.add_argument("--unrolled", nargs="*", type=int, default=[6, 12, 24])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    ways: list[Way] = [("repeat", depth) for depth in options.depths]
    ways += [("written out", depth) for depth in options.unrolled]
    found: dict[Way, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(options.rounds):
        for way in ways:
            found[way].append(seconds(way))
    report(found)
    if options.json:
        rows = [{"blocks": how, "depth": depth, "seconds": rounds} for (how, depth), rounds in found.items()]
        content = {"machine": platform.platform(), "cpus": os.cpu_count(), "rows": rows}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
