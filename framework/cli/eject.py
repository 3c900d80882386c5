"""`fw eject`: a recipe as a script in plain Flax and Optax."""

from __future__ import annotations

import argparse
from pathlib import Path

from framework.cli.arguments import VerbParser
from framework.cli.options import add_recipe
from framework.core.errors import ConfigError, Problem


def parser() -> VerbParser:
    """The words of `fw eject`."""
    words = VerbParser(
        "eject",
        usage="RECIPE [OVERRIDE ...] -o train.py",
        about="""Write a script that trains the recipe's network with JAX, Flax and Optax alone, and the training data
        as an NPZ file beside it. It computes the same numbers, bit by bit: it carries the source of the layers that the
        network uses. What a script cannot have (layouts over devices, streamed data, modules of yours) is refused.""",
        examples=("fw eject digits_mlp -o train.py", "fw eject stdlib_gpt network.args.depth=2 -o gpt.py"),
    )
    add_recipe(words)
    words.option("-o", "--output", metavar="FILE", help="the script; the data goes beside it, as FILE with .npz")
    return words


def execute(options: argparse.Namespace) -> int:
    """Write the script and its data."""
    from framework.cli.loading import load

    if options.output is None or Path(options.output).suffix != ".py":
        found = "no file is named" if options.output is None else f"{options.output} does not end in .py"
        raise ConfigError(Problem("--output", found, "a file ending in .py", fix="-o train.py"))
    loaded = load(options)
    from framework.core.files import write_atomically
    from framework.inspect.ejecting.ejected import ejected

    script = Path(options.output)
    made = ejected(loaded, script)
    write_atomically(script.with_suffix(".npz"), made.arrays)
    write_atomically(script, made.script)
    print(f"wrote {script} and {script.with_suffix('.npz')}")
    return 0
