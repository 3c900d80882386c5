"""`fw run`: all stages of a recipe."""

from __future__ import annotations

import argparse

from framework.cli.arguments import VerbParser
from framework.cli.options import add_composition, add_multirun, add_recipe


def parser() -> VerbParser:
    """The words of `fw run`."""
    words = VerbParser(
        "run",
        usage="RECIPE [OVERRIDE ...]",
        about="""Run all stages of a recipe (`run.stages`: train, evaluate, ...) in a run directory. Everything
        that can be found wrong is told before anything is written. The same command with the same run.dir
        goes on where the run was left; stages that finished are skipped.""",
        examples=("fw run digits_mlp", "fw run digits_mlp trainer.epochs=20 seed=1 run.dir=runs/mine"),
    )
    add_recipe(words)
    add_multirun(words)
    add_composition(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Run the stages and print the results."""
    from framework.cli.running import execute_stages

    return execute_stages(options, None)
