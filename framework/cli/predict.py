"""`fw predict`: outputs of a run for new inputs."""

from __future__ import annotations

import argparse

from framework.cli.arguments import VerbParser
from framework.cli.options import add_run


def parser() -> VerbParser:
    """The words of `fw predict`."""
    words = VerbParser(
        "predict",
        usage="RUN --input FILE -o FILE",
        about="""Load a checkpoint of a run and write the network's outputs for the inputs in a file, one row each.
        Inputs are in the units of the original data and are scaled as the training split was; a target
        that was scaled is told in its own units again. Where the outputs are logits of classes, the most
        likely class is written too.""",
        examples=(
            "fw predict runs/mine --input new.csv -o predictions.csv",
            "fw predict runs/mine --input seven.png -o seven.json --checkpoint last",
        ),
    )
    add_run(words)
    words.option("-i", "--input", metavar="FILE", required=True, help="x.npz (arrays by name), x.csv or x.png")
    words.option("-o", "--output", metavar="FILE", required=True, help="x.npz, x.csv or x.json")
    return words


def execute(options: argparse.Namespace) -> int:
    """Predict and write."""
    from pathlib import Path

    from framework.cli.printing import say
    from framework.inspect.prediction_files import check_output, write

    output = Path(options.output)
    check_output(output)
    from framework.inspect.prediction import predict_file

    prediction = predict_file(options.run, Path(options.input), options.checkpoint, trust=options.trust)
    rows = write(prediction, output)
    say(f"wrote {rows:,} row{'s' * (rows != 1)} to {output}")
    return 0
