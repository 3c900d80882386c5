"""`fw evaluate`: metrics of a run on a split."""

from __future__ import annotations

import argparse

from framework.cli.arguments import VerbParser
from framework.cli.options import add_run


def parser() -> VerbParser:
    """The words of `fw evaluate`."""
    words = VerbParser(
        "evaluate",
        usage="RUN",
        about="""Load a checkpoint of a run and print its losses and metrics on splits of its data, scaled by the
        statistics of the training split that the run keeps. Nothing is written.""",
        examples=("fw evaluate runs/mine", "fw evaluate runs/mine --split valid --checkpoint last --json"),
    )
    add_run(words)
    words.option(
        "--split", metavar="SPLIT", action="append", default=[], help="train, valid or test (default); may be repeated"
    )
    words.option("--json", action="store_true", help="print JSON: split -> metric -> value")
    return words


def execute(options: argparse.Namespace) -> int:
    """Evaluate and print."""
    import json

    from framework.cli.printing import console, say
    from framework.inspect.evaluation import evaluate_run
    from framework.report.tables import results

    splits = tuple(options.split) or ("test",)
    found = evaluate_run(options.run, splits, options.checkpoint, trust=options.trust)
    if options.json:
        print(json.dumps(found.metrics, indent=2))
        return 0
    say(f"checkpoint of step {found.step:,}", style="bold")
    out = console()
    out.print(results(found.metrics, found.class_names, width=out.width))
    return 0
