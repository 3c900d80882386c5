"""`fw init`: a new project of the user's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from framework.cli.arguments import VerbParser


def parser() -> VerbParser:
    """The words of `fw init`."""
    words = VerbParser(
        "init",
        usage="DIR",
        about="""Make a new project in DIR, which must be new or empty: a recipe that trains on a table of its own,
        a layer of your own as a Flax module, a README that tells the commands, and a test that passes.""",
        examples=("fw init my_project", "cd my_project && fw run spirals --trust my_layers && pytest"),
    )
    words.word("folder", metavar="DIR", help="the folder to make")
    return words


def execute(options: argparse.Namespace) -> int:
    """Write the project and tell what to do next."""
    from framework.cli.printing import say
    from framework.inspect.project import create

    for path in create(Path(options.folder)):
        say(f"  {options.folder.rstrip('/')}/{path}")
    say()
    say("next:", style="bold")
    say(f"  cd {options.folder}")
    say("  fw check spirals --trust my_layers")
    say("  fw run spirals --trust my_layers")
    say("  pytest")
    return 0
