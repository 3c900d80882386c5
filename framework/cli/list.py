"""`fw list`: what there is to choose from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from framework.cli.arguments import VerbParser, one_of
from framework.cli.options import add_config_dir

if TYPE_CHECKING:
    from framework.inspect.listing import Item

SHAPES_FROM = 110  # columns of a terminal that has room for the shapes beside the summaries
_KINDS = ("recipes", "networks", "layers", "losses", "metrics", "optimizers", "schedules", "data")


def parser() -> VerbParser:
    """The words of `fw list`."""
    words = VerbParser(
        "list",
        usage="[KIND [NAME]]",
        about="""Print what there is to choose from: everything by name; or, with a KIND, a table with a line on
        each; or, with a NAME too, all about that one: its arguments with their kinds, defaults and
        bounds, and how a recipe writes it.""",
        examples=("fw list layers", "fw list optimizers adamw"),
    )
    words.word("kind", metavar="KIND", nargs="?", type=one_of("fw list KIND", *_KINDS), help=" | ".join(_KINDS))
    words.word(
        "name",
        metavar="NAME",
        nargs="?",
        help="one of the names that `fw list KIND` prints, or what other libraries call it",
    )
    add_config_dir(words)
    words.option("--names", action="store_true", help="the names alone, one a line, for scripts")
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the overview, the table of a kind, or all about one item."""
    from framework.cli.printing import say
    from framework.inspect import listing

    if options.kind is None:
        _overview(options.config_dir)
    elif options.names:
        for item in listing.items(options.kind, options.config_dir):
            print(item.name)
    elif options.name is None:
        _table(options.kind, options.config_dir)
    else:
        found = listing.find(options.kind, options.name, options.config_dir)
        if found.name != options.name:
            say(f"{options.name} is called {found.name} here", style="dim")
        _detail(found)
    return 0


def _overview(config_dirs: list[str]) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.inspect.listing import KINDS, items

    rows = [(kind, ", ".join(item.name for item in items(kind, config_dirs)) or "none yet") for kind in KINDS]
    table(("kind", "names"), rows)
    say()
    say("fw list KIND tells a line on each, fw list KIND NAME all about one.", style="dim")


def _table(kind: str, config_dirs: list[str]) -> None:
    from framework.cli.printing import console, say
    from framework.cli.tables import table
    from framework.inspect.listing import KINDS, items

    say(f"{kind}: {KINDS[kind]}", style="bold")
    found = items(kind, config_dirs)
    if not found:
        say("none yet")
    elif kind == "layers" and console().width >= SHAPES_FROM:
        table(("name", "what it does", "shapes"), [(item.name, item.summary, item.shape) for item in found])
    else:
        table(("name", "what it does"), [(item.name, item.summary) for item in found])


def _detail(item: Item) -> None:
    from framework.cli.printing import prose, say
    from framework.cli.tables import definitions
    from framework.inspect.listing import example

    say(item.name, style="bold cyan")
    prose(item.text or item.summary)
    say()
    if item.file is not None:
        say(f"file: {item.file}")
        return
    if item.shape:
        say(f"shapes:   {item.shape}")
    say(f"in YAML:  {example(item)}")
    if item.arguments:
        say()
        say("arguments", style="bold")
        definitions((argument.name, [argument.rule(), argument.description]) for argument in item.arguments)
