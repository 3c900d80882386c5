"""`fw graph`: a drawing of a recipe's network."""

from __future__ import annotations

import argparse
from pathlib import Path

from framework.cli.arguments import VerbParser, positive
from framework.cli.options import add_recipe
from framework.core.errors import ConfigError, Problem


def parser() -> VerbParser:
    """The words of `fw graph`."""
    words = VerbParser(
        "graph",
        usage="RECIPE [OVERRIDE ...] -o FILE",
        about="""Draw the network from left to right: a box for each node with its operation, the shape of what it
        gives and its parameters; blocks are folded into one box each. All of it is worked out abstractly: no data is
        read and nothing is compiled. The ending of FILE says what is written: .svg (with tooltips), .png or .mmd
        (Mermaid).""",
        examples=("fw graph digits_cnn -o net.svg", "fw graph digits_cnn --depth 2 -o net.png"),
    )
    add_recipe(words)
    words.option("-o", "--output", metavar="FILE", type=Path, help="the file to write: .svg, .png or .mmd")
    words.option(
        "--depth",
        metavar="N",
        type=positive("--depth"),
        help="open so many levels of nodes (default: 1, blocks folded)",
    )
    words.option("--full", action="store_true", help="open all levels")
    words.option(
        "--batch-size",
        metavar="N",
        type=positive("--batch-size"),
        help="tell shapes and FLOPs of a batch of N (default: of one example, without the batch axis)",
    )
    return words


def execute(options: argparse.Namespace) -> int:
    """Draw it."""
    _check(options)
    from framework.cli.loading import load

    loaded = load(options)
    from framework.cli.printing import say
    from framework.inspect.drawing.recipe import drawing_of

    depth = None if options.full else options.depth or 1
    found = drawing_of(loaded, depth=depth, batch_size=options.batch_size)
    found.save(options.output, key="--output")
    shown, folded = found.counts
    rest = f", {folded:,} of them folded blocks" if folded else ""
    say(f"drawn: {options.output}", style="bold")
    say(f"{shown:,} nodes{rest}; --depth and --full open more" if folded else f"{shown:,} nodes", style="dim")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what is known to be wrong before a library is loaded."""
    problems = []
    if options.full and options.depth is not None:
        problems.append(Problem("--full", "--depth says something else", "one of the two", fix="--full"))
    if options.output is None:
        fix = f"-o {Path(options.recipe).stem}.svg"
        problems.append(Problem("--output", "no file is named", "a file ending in .svg, .png or .mmd", fix=fix))
    else:
        from framework.inspect.drawing.files import require_writable

        try:
            require_writable(options.output)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
