"""`fw predict`: outputs of a run for new inputs."""

from __future__ import annotations

import argparse
import sys

from framework.cli.arguments import VerbParser
from framework.cli.options import add_run


def parser() -> VerbParser:
    """The words of `fw predict`."""
    words = VerbParser(
        "predict",
        usage="RUN --input FILE [-o FILE]",
        about="""Load a checkpoint of a run and write the network's outputs for the inputs in a file, one row each.
        Inputs are in the units of the original data and are scaled as the training split was; a target
        that was scaled is told in its own units again. Where the outputs are logits of classes, the most
        likely class is written too. Without -o the rows are printed, as CSV.""",
        examples=(
            "fw predict runs/mine --input new.csv -o predictions.csv",
            "fw predict runs/mine --input seven.png -o seven.json --checkpoint last",
        ),
    )
    add_run(words)
    words.option(
        "-i",
        "--input",
        metavar="FILE",
        required=True,
        help="x.npz (arrays by name), x.csv, x.png or a folder of images",
    )
    words.option("-o", "--output", metavar="FILE", help="x.npz, x.csv or x.json; default: print")
    return words


def execute(options: argparse.Namespace) -> int:
    """Predict, and write or print."""
    from dataclasses import replace
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from framework.cli.printing import say
    from framework.inspect.prediction_files import check_output, write

    source = Path(options.input)
    output = Path(options.output) if options.output is not None else None
    if output is not None:
        check_output(output)
    from framework.inspect.prediction import predict_file

    prediction = predict_file(options.run, source, options.checkpoint, trust=options.trust)
    if source.is_dir():
        import numpy as np

        from framework.data.input_files import pictures_in

        names = [str(file.relative_to(source)) for file in pictures_in(source)]
        prediction = replace(prediction, outputs={"file": np.array(names), **prediction.outputs})
    if output is None:
        with TemporaryDirectory() as folder:
            write(prediction, Path(folder) / "rows.csv")
            sys.stdout.write((Path(folder) / "rows.csv").read_text(encoding="utf-8"))
        return 0
    rows = write(prediction, output)
    say(f"wrote {rows:,} row{'s' * (rows != 1)} to {output}")
    return 0
