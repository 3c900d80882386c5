"""`fw summary`: the layer table of a recipe's network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from framework.cli.arguments import VerbParser, positive
from framework.cli.options import add_recipe

if TYPE_CHECKING:
    from framework.inspect.layer_table import LayerTable


def parser() -> VerbParser:
    """The words of `fw summary`."""
    words = VerbParser(
        "summary",
        usage="RECIPE [OVERRIDE ...]",
        about="""Print a line for each node of the network: its operation, the shape of what it gives, its parameters
        and the floating-point operations of one forward pass. Nodes inside of blocks stand indented below them. All of
        it is worked out abstractly: no data is read and nothing is compiled.""",
        examples=("fw summary digits_cnn", "fw summary stdlib_gpt --depth 1 --batch-size 32"),
    )
    add_recipe(words)
    words.option(
        "--batch-size", metavar="N", type=positive("--batch-size"), default=1, help="examples in the batch (default: 1)"
    )
    words.option("--depth", metavar="N", type=positive("--depth"), help="open so many levels of blocks (default: all)")
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the table."""
    from framework.cli.loading import load

    loaded = load(options)
    from framework.inspect.layer_table import layer_table

    _print(loaded.subject, layer_table(loaded, batch_size=options.batch_size, depth=options.depth))
    return 0


def _print(subject: str, found: LayerTable) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table

    say(subject, style="bold")
    rows = [(name, "input", shape, "", "") for name, shape in found.inputs.items()]
    rows += [
        ("  " * row.depth + row.name, row.op, row.output, _count(row.parameters), _count(row.flops))
        for row in found.rows
    ]
    rows.append(("total", "", "", _count(found.parameters), _count(found.flops)))
    table(("node", "operation", "output", "parameters", "FLOPs"), rows, right=("parameters", "FLOPs"))
    if found.frozen:
        say(f"{found.parameters - found.frozen:,} parameters are trained and {found.frozen:,} frozen", style="dim")
    kept = f", {found.statistics:,} numbers of statistics" if found.statistics else ""
    examples = "one example" if found.batch_size == 1 else f"a batch of {found.batch_size:,}"
    say(f"FLOPs are of one forward pass over {examples}{kept}", style="dim")


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"
