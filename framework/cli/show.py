"""`fw show`: the resolved recipe, with who set each value."""

from __future__ import annotations

import argparse

from framework.cli.arguments import VerbParser
from framework.cli.options import add_composition, add_recipe

WIDEST = 56  # columns after which origins no longer line up


def parser() -> VerbParser:
    """The words of `fw show`."""
    words = VerbParser(
        "show",
        usage="RECIPE [OVERRIDE ...]",
        about="""Print the recipe as it will be used: composed, with all overrides applied and all interpolations
        resolved. Beside each value stands who set it: a file and line, or an override. The output is
        YAML, and a recipe itself.""",
        examples=("fw show digits_mlp optimizer=lion", "fw show digits_mlp --plain > mine.yaml"),
    )
    add_recipe(words)
    words.option("--defaults", action="store_true", help="also what nobody set and the schema fills in")
    words.option("--plain", action="store_true", help="without the origins")
    add_composition(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the YAML."""
    from rich.text import Text

    from framework.cli.loading import load, print_composition
    from framework.cli.printing import console
    from framework.inspect.annotated import lines
    from framework.inspect.defaults import with_defaults

    if print_composition(options):
        return 0
    loaded = load(options)
    tree = with_defaults(loaded.tree, loaded.config) if options.defaults else None
    found = list(lines(loaded, tree))
    column = min(max((len(line.text) for line in found if line.value), default=0), WIDEST) + 2
    out = console()
    for line in found:
        text = Text.assemble(" " * line.indent, (f"{line.name}:", "cyan"), f" {line.value}" if line.value else "")
        if line.origin and not options.plain:
            style = "yellow" if line.origin.startswith("override") else "dim"
            text.append(" " * max(column - len(line.text), 2))
            text.append(f"# {line.origin}", style=style)
        out.print(text, soft_wrap=True)
    return 0
