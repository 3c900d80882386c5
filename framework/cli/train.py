"""`fw train`: the training stage alone."""

from __future__ import annotations

import argparse

from framework.cli.arguments import VerbParser
from framework.cli.options import add_composition, add_multirun, add_recipe


def parser() -> VerbParser:
    """The words of `fw train`."""
    words = VerbParser(
        "train",
        usage="RECIPE [OVERRIDE ...]",
        about="""Train a recipe, and nothing after it. A run that was stopped, by Ctrl-C or by the machine, goes on
        bitwise as if it had not been, when the same command names the same run.dir; a changed recipe is
        refused with its differences.""",
        examples=("fw train digits_cnn run.dir=runs/cnn", "fw train digits_mlp -m optimizer=adamw,lion seed=0,1"),
    )
    add_recipe(words)
    add_multirun(words)
    add_composition(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Train and print what it came to."""
    from framework.cli.running import execute_stages

    return execute_stages(options, ("train",))
