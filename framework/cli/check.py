"""`fw check`: every shape and wire of a recipe, before anything runs."""

from __future__ import annotations

import argparse

from framework.cli.arguments import VerbParser
from framework.cli.options import add_recipe


def parser() -> VerbParser:
    """The words of `fw check`."""
    words = VerbParser(
        "check",
        usage="RECIPE [OVERRIDE ...]",
        about="""Evaluate the whole recipe abstractly, from the shapes of the data through the network, losses and
        metrics to the optimizer. No data is read and nothing is compiled, so that it takes seconds whatever the size.
        All problems are told at once, each with its key, its origin and the fix.""",
        examples=("fw check digits_cnn", "fw check digits_cnn network.layers.conv1.conv_norm_relu.features=64"),
    )
    add_recipe(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Print what fits together, and `ok`."""
    from rich.text import Text

    from framework.cli.loading import load
    from framework.cli.printing import console, say
    from framework.cli.tables import table

    loaded = load(options)
    from framework.inspect.checking import check

    report = check(loaded)
    say(loaded.subject, style="bold")
    table(("", "", ""), [(line.topic, line.name, line.result) for line in report.findings])
    for warning in report.warnings:
        console().print(Text.assemble(("warning: ", "bold yellow"), warning), soft_wrap=True)
    say("ok", style="bold green")
    return 0
