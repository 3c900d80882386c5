"""`fw schema`: the JSON schema of a recipe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from framework.cli.arguments import VerbParser
from framework.cli.options import add_config_dir


def parser() -> VerbParser:
    """The words of `fw schema`."""
    words = VerbParser(
        "schema",
        usage="",
        about="""Print the JSON schema of a recipe, or write it to a file. An editor with a YAML language server
        completes keys, shows their descriptions and marks mistakes in a recipe whose first line names the
        file.""",
        examples=(
            "fw schema -o recipe.schema.json",
            "sed -i '1i # yaml-language-server: $schema=recipe.schema.json' recipes/mine.yaml",
        ),
    )
    words.option("-o", "--output", metavar="FILE", help="write it there instead of printing it")
    add_config_dir(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Print or write the schema."""
    from framework.config.compose import schema_json

    text = schema_json(options.config_dir)
    if options.output:
        from framework.core.files import write_atomically

        write_atomically(Path(options.output), text + "\n")
        print(f"wrote {options.output}")
    else:
        sys.stdout.write(text + "\n")
    return 0
