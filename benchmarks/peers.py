"""Steps per second of `fw` beside hand-written JAX, PyTorch, Lightning, Keras and TensorFlow on the same three models.

    python benchmarks/peers.py [--models mlp cnn gpt] [--sides fw flax ...] [--rounds 7] [--seconds 1.5] [--json FILE]

Every side is a process of its own with its model in memory; they take turns, in another order each round, so that a
slow moment of the machine meets all. They have the same number of parameters (asserted), the same rows, batch size,
optimizer (Adam) and two threads, and their losses must fall (asserted). All arrays are float32, and so are the products
but of the sides that say so: each library's own ways to let products take bfloat16 are sides of their own. `make
bench-peers` makes the environments of the peers; those that are absent are left out, and it is said.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from machine import machine
from rich.console import Console
from rich.table import Table
from turns import AbsentError, Side, pin, turns
from workloads import export, recipe

HERE = Path(__file__).parent
MODELS = ("mlp", "cnn", "gpt")


@dataclass(frozen=True)
class Kind:
    """How a side is started.

    Attributes:
      title: its name in the table.
      script: in benchmarks/peers.
      home: its environment below the folder of the peers; empty for that of `fw` itself.
      words: of the script, besides the workload.
    """

    title: str
    script: str
    home: str = ""
    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = MODELS


def _keras(title: str, backend: str, steps: int, models: tuple[str, ...] = MODELS) -> Kind:
    home = "keras" if backend == "jax" else "tensorflow"
    words = ("--steps-per-execution", str(steps))
    return Kind(f"{title}, {steps} a call", "side_keras.py", home, words, {"KERAS_BACKEND": backend}, models)


KINDS = {
    "fw": Kind("fw", "side_fw.py"),
    "fw16": Kind("fw, products of bfloat16", "side_fw.py", words=("trainer.matmul_precision=bfloat16",)),
    "lowered": Kind("JAX by hand, same lowering", "side_lowered.py"),
    "flax": Kind("JAX by hand, Flax and Optax", "side_flax.py"),
    "torch": Kind("PyTorch", "side_torch.py", "torch"),
    "compiled": Kind("PyTorch, compiled", "side_torch.py", "torch", ("--compile",)),
    "torch16": Kind("PyTorch, autocast to bfloat16", "side_torch.py", "torch", ("--autocast",)),
    "medium": Kind("PyTorch, medium precision", "side_torch.py", "torch", ("--medium",)),
    "lightning": Kind("Lightning", "side_lightning.py", "torch"),
    "lightning16": Kind("Lightning, bf16-mixed", "side_lightning.py", "torch", ("--mixed",)),
    "keras": _keras("Keras on JAX", "jax", 1),
    "keras20": _keras("Keras on JAX", "jax", 20),
    "keras16": replace(
        _keras("Keras on JAX, mixed_bfloat16", "jax", 20), words=("--steps-per-execution", "20", "--mixed")
    ),
    "keras50": _keras("Keras on JAX", "jax", 50, ("mlp",)),
    "tensorflow": _keras("TensorFlow Keras", "tensorflow", 1),
    "tensorflow20": _keras("TensorFlow Keras", "tensorflow", 20),
}
"""Where a call of Keras takes 50 steps, all 50 are compiled one after the other: minutes for the larger models."""


@dataclass
class Outcome:
    """What was measured of one model; rates are in steps per second, one per round."""

    parameters: int
    versions: dict[str, str]
    rates: dict[str, list[float]]
    losses: dict[str, tuple[float, float]]
    absent: dict[str, str]

    def ratio(self, side: str, base: str = "fw") -> float:
        """The median over rounds of rate(base) / rate(side), each taken within its round."""
        pairs = zip(self.rates[base], self.rates[side], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


def measure(model: str, names: Sequence[str], options: argparse.Namespace, console: Console) -> Outcome:
    """All sides of one model, in turns.

    Raises:
      SystemExit: models differ in size, a loss does not fall, or `fw` itself does not run.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        workload = folder / f"{model}.npz"
        export(model, workload, options.overrides)
        sides, absent = _start(
            model, names, options, [str(recipe(model)), *options.overrides], workload, stack, console
        )
        first = _calibrate(sides, absent, options.seconds, console)
        sizes = {name: side.parameters for name, side in sides.items()}
        if len(set(sizes.values())) > 1:
            raise SystemExit(f"{model}: the models differ in size: {sizes}")
        rates: dict[str, list[float]] = {name: [] for name in sides}
        losses: dict[str, tuple[float, float]] = {}
        for order in turns(list(sides), options.rounds):
            for name in order:
                turn = sides[name].run(first[name][1])
                rates[name].append(turn.rate)
                losses[name] = first[name][0], turn.loss
        flat = {name: pair for name, pair in losses.items() if not pair[1] < pair[0]}
        if flat:
            raise SystemExit(f"{model}: losses that did not fall (first, last): {flat}")
        versions = {name: side.version for name, side in sides.items()}
        return Outcome(next(iter(sizes.values())), versions, rates, losses, absent)


def _start(
    model: str,
    names: Sequence[str],
    options: argparse.Namespace,
    declared: list[str],
    workload: Path,
    stack: ExitStack,
    console: Console,
) -> tuple[dict[str, Side], dict[str, str]]:
    """The sides that are there, each ready, and why the others are not."""
    sides: dict[str, Side] = {}
    absent: dict[str, str] = {}
    for name in names:
        kind = KINDS[name]
        python = Path(sys.executable) if not kind.home else options.peers / kind.home / "bin" / "python"
        if model not in kind.models:
            continue
        if not python.exists():
            absent[name] = f"{python} does not exist; make bench-peers makes it"
            continue
        told = [*(declared if kind.script == "side_fw.py" else [str(workload)]), *kind.words]
        command = [str(python), str(HERE / "peers" / kind.script), *told]
        sides[name] = Side(name, command, kind.environment)
        stack.callback(sides[name].close)
    for name in list(sides):
        try:
            sides[name].wait_ready()
        except AbsentError as error:
            _give_up(name, sides, absent, error)
    for name, why in absent.items():
        console.print(f"{model}: without {KINDS[name].title}: {why}", style="yellow", highlight=False, soft_wrap=True)
    return sides, absent


def _calibrate(
    sides: dict[str, Side], absent: dict[str, str], seconds: float, console: Console
) -> dict[str, tuple[float, int]]:
    """Compile and warm up, one after the other: each side's first loss, and how many steps take `seconds`."""
    found: dict[str, tuple[float, int]] = {}
    for name, side in list(sides.items()):
        try:
            loss = side.run(1).loss
            side.run(4)  # the sizes of a dispatch settle, and what compiles late compiles
            turn, steps = side.run(4), 4
            while turn.seconds < seconds / 4:
                steps *= 4
                turn = side.run(steps)
        except AbsentError as error:
            _give_up(name, sides, absent, error)
            console.print(
                f"without {KINDS[name].title}: {absent[name]}", style="yellow", highlight=False, soft_wrap=True
            )
            continue
        found[name] = loss, max(1, round(turn.rate * seconds))
        console.print(
            f"{KINDS[name].title}: about {turn.rate:,.0f} steps a second", style="dim", highlight=False, soft_wrap=True
        )
    return found


def _give_up(name: str, sides: dict[str, Side], absent: dict[str, str], error: AbsentError) -> None:
    if not KINDS[name].home:
        raise SystemExit(f"{KINDS[name].title} {error}")
    absent[name] = str(error)
    sides.pop(name).close()


def report(outcomes: Mapping[str, Outcome], console: Console) -> None:
    """Print one table for each model, fastest first."""
    for model, outcome in outcomes.items():
        table = Table(title=f"{model}: {outcome.parameters:,} parameters, steps per second, medians of rounds")
        for column in ("side", "steps/s", "lowest - highest", "fw is faster by"):
            table.add_column(column, justify="left" if column == "side" else "right", no_wrap=True)
        for name in sorted(outcome.rates, key=lambda each: -statistics.median(outcome.rates[each])):
            rates = outcome.rates[name]
            spread = f"{min(rates):,.1f} - {max(rates):,.1f}"
            ratio = f"{outcome.ratio(name):.2f}" if "fw" in outcome.rates else ""
            table.add_row(KINDS[name].title, f"{statistics.median(rates):,.1f}", spread, ratio)
        console.print(table)


def main(words: Sequence[str] | None = None) -> None:
    """Measure the models that the words name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--sides", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--peers", type=Path, default=HERE.parent / ".cache" / "peers", help="their environments")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side (default: 7)")
    parser.add_argument("--seconds", type=float, default=1.5, help="about how long one turn takes (default: 1.5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all rates to a file")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="of the recipes' side, to try a setting")
    options = parser.parse_intermixed_args(words)
    pin()
    console = Console(stderr=True)
    outcomes = {model: measure(model, options.sides, options, console) for model in options.models}
    report(outcomes, Console(width=None if sys.stdout.isatty() else 100))
    if options.json:
        titles = {name: kind.title for name, kind in KINDS.items()}
        content = {"machine": machine(), "titles": titles, "models": {k: asdict(v) for k, v in outcomes.items()}}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
