"""`fw import`: a network that another framework declares, as a declaration in this one's language."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from framework.cli.arguments import VerbParser, one_of
from framework.core.errors import ConfigError, Problem


def parser() -> VerbParser:
    """The words of `fw import`."""
    words = VerbParser(
        "import",
        usage="caffe|keras FILE [-o net.yaml]",
        about="""Print the network that a file of Caffe or Keras declares as the YAML of a `network` section, or write
        it to a file. It has as many parameters as the other one. What cannot be kept is refused, with its name and
        place; what was left out (losses, metrics, data) is told in the comments at the top. Weights are not read.""",
        examples=(
            "fw import caffe train_val.prototxt --input data=3,227,227 -o net.yaml",
            "fw import keras model.json -o net.yaml",
        ),
    )
    words.word("kind", metavar="KIND", type=one_of("KIND", "caffe", "keras"), help="caffe or keras")
    words.word(
        "file", metavar="FILE", type=Path, help="a prototxt; the JSON of model.to_json(); or what model.save() wrote"
    )
    words.option("-o", "--output", metavar="FILE", help="write it there instead of printing it")
    words.option(
        "--input",
        metavar="BLOB=C,H,W",
        type=_shape,
        action="append",
        default=[],
        help="caffe: the shape of one example of an input, where the file does not say it; may be repeated",
    )
    words.option(
        "--phase",
        metavar="train|test",
        type=one_of("--phase", "train", "test"),
        default="train",
        help="caffe: take the layers of this phase (default: train)",
    )
    return words


def execute(options: argparse.Namespace) -> int:
    """Print or write the network."""
    if options.kind == "keras" and (options.input or options.phase != "train"):
        word = "--input" if options.input else "--phase"
        raise ConfigError(Problem(word, "a model of Keras was given", f"{word} for caffe alone", fix="leave it out"))
    from framework.inspect.importing.imported import imported

    text = imported(options.kind, options.file, inputs=dict(options.input), phase=options.phase)
    if options.output:
        from framework.core.files import write_atomically

        write_atomically(Path(options.output), text)
        print(f"wrote {options.output}")
    else:
        sys.stdout.write(text)
    return 0


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, equals, sizes = text.partition("=")
    parts = sizes.split(",")
    if not name or not equals or not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise ConfigError(
            Problem(
                "--input", f"found '{text}'", "a blob and its sizes without the batch", fix="--input data=3,227,227"
            )
        )
    return name, tuple(int(part) for part in parts)
