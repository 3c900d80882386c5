"""Steps per second of `fw`'s training loop beside the same models hand-written in JAX, Flax Linen and Optax.

    python benchmarks/step.py [--models mlp cnn transformer] [--rounds 7] [--seconds 3] [--json FILE] [OVERRIDE ...]

Both sides run in this process and take turns, so that a slow moment of the machine meets both. They have the same
number of parameters (asserted), the same dtype, batch size, optimizer and training rows. `fw` runs its whole loop with
the records it keeps, but without validation and checkpoints; the other loop keeps every fiftieth loss.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import jax
from handwritten import MODELS, HandWritten
from rich.console import Console
from rich.table import Table

from framework.config.compose import load
from framework.train.loop import Loop
from framework.train.progress import Progress
from framework.train.runner import Runner
from framework.train.setup import Setup

RECIPES = Path(__file__).parent / "recipes"


class Side(Protocol):
    """One of the two things compared."""

    def run(self, steps: int) -> None:
        """Take so many steps and wait for the last."""
        ...


class Declared:
    """The recipe's side: `fw`'s own loop over its compiled runner."""

    def __init__(self, setup: Setup) -> None:
        self.experiment = setup.experiment
        self.runner = Runner(setup.experiment, setup.dataset, setup.strategy)
        self.state = setup.strategy.place_state(setup.experiment.init())
        self.step = 0

    @property
    def parameters(self) -> int:
        """How many trained numbers the model has."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.state.params))

    def run(self, steps: int) -> None:
        """Take so many steps and wait for the last."""
        ahead = replace(self.experiment, total_steps=self.step + steps)
        loop = Loop(ahead, self.runner, None, self.state, Progress(), [], None, self.step)
        self.state = jax.block_until_ready(loop.run())
        self.step += steps


@dataclass(frozen=True)
class Outcome:
    """What was measured of one model; rates are in steps per second, one per round."""

    model: str
    parameters: int
    steps_per_dispatch: int
    fw: list[float]
    hand: list[float]

    @property
    def ratio(self) -> float:
        """The median over rounds of rate(fw) / rate(hand), each taken within its round."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.fw, self.hand, strict=True))


def rate(side: Side, steps: int) -> float:
    """Steps per second."""
    start = time.perf_counter()
    side.run(steps)
    return steps / (time.perf_counter() - start)


def calibrate(side: Side, seconds: float) -> int:
    """Warm a side up (it compiles and settles on a dispatch size), and find how many steps take `seconds`."""
    side.run(8)
    steps = 8
    while steps / (measured := rate(side, steps)) < seconds / 3:
        steps *= 2
    return max(8, round(measured * seconds))


def measure(model: str, rounds: int, seconds: float, overrides: Sequence[str] = ()) -> Outcome:
    """Both sides of one model in turns; who begins changes from round to round."""
    setup = Setup(load(str(RECIPES / f"step_{model}.yaml"), overrides))
    ours = Declared(setup)
    data = setup.config.data
    classes: int = getattr(data, "vocabulary", None) or getattr(data, "classes", 0)
    theirs: HandWritten = MODELS[model](setup.dataset.arrays("train"), classes)
    if ours.parameters != theirs.parameters:
        raise SystemExit(f"{model}: {ours.parameters} parameters in the recipe, {theirs.parameters} written by hand")
    sides: dict[str, Side] = {"fw": ours, "hand": theirs}
    steps = {name: calibrate(side, seconds) for name, side in sides.items()}
    rates: dict[str, list[float]] = {"fw": [], "hand": []}
    for index in range(rounds):
        for name in ("fw", "hand") if index % 2 == 0 else ("hand", "fw"):
            rates[name].append(rate(sides[name], steps[name]))
    return Outcome(model, ours.parameters, ours.runner.steps_per_dispatch, rates["fw"], rates["hand"])


def report(outcomes: list[Outcome]) -> None:
    """Print the table."""
    table = Table(title=f"steps per second on {jax.devices()[0].device_kind}, median of rounds (lowest - highest)")
    for column in ("model", "parameters", "fw", "by hand", "fw / by hand"):
        table.add_column(column, justify="left" if column == "model" else "right", no_wrap=True)
    for outcome in outcomes:
        table.add_row(
            outcome.model, f"{outcome.parameters:,}", _spread(outcome.fw), _spread(outcome.hand), f"{outcome.ratio:.2f}"
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def _spread(rates: list[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} - {max(rates):,.0f})"


def main(words: list[str]) -> None:
    """Measure the models that the words name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side (default: 7)")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long one turn takes (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all rates to a file")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="of the recipes' side, to try a setting")
    options = parser.parse_intermixed_args(words)
    outcomes = [measure(model, options.rounds, options.seconds, options.overrides) for model in options.models]
    report(outcomes)
    if options.json:
        environment = {
            "jax": jax.__version__,
            "python": platform.python_version(),
            "device": jax.devices()[0].device_kind,
        }
        content: dict[str, Any] = environment | {"models": [asdict(item) | {"ratio": item.ratio} for item in outcomes]}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
