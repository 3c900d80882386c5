"""How `fw` prints: one console per stream, tables that fit the width, errors in plain words."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from framework.core.errors import ConfigError, FrameworkError, Problem

PIPED_WIDTH = 120  # columns assumed where no terminal tells

LABEL_WIDTH = 13  # of "  came from: ", under which a wrapped line continues


def console(error: bool = False) -> Console:
    """The console of stdout or stderr. Colours only on a terminal, or as NO_COLOR and FORCE_COLOR say."""
    stream = sys.stderr if error else sys.stdout
    width = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns
    return Console(file=stream, width=max(width, 40), highlight=False, markup=False, emoji=False)


def say(text: str = "", style: str | None = None) -> None:
    """Print a line that is never broken, so that a pipe gets it as it is."""
    console().print(Text(text, style=style or ""), soft_wrap=True)


def paragraph(text: str, style: str | None = None) -> None:
    """Print a text broken at the width of the terminal."""
    console().print(Text(text, style=style or ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), indent: int = 0) -> None:
    """Print rows under bold headings. Columns named in `right` hold numbers; the last column takes what width is left."""
    grid = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for position, column in enumerate(columns):
        last = position == len(columns) - 1
        grid.add_column(
            column,
            justify="right" if column in right else "left",
            style="cyan" if position == 0 else "",
            overflow="fold",
            no_wrap=False,
            ratio=1 if last and column not in right else None,
        )
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    out = console()
    if indent:
        from rich.padding import Padding

        out.print(Padding(grid, (0, 0, 0, indent)))
    else:
        out.print(grid)


def print_error(error: FrameworkError) -> None:
    """Print an error on stderr: the keys stand out, and long lines go on under their label."""
    out = console(error=True)
    if isinstance(error, ConfigError):
        if error.subject:
            count = len(error.problems)
            out.print(Text(f"{error.subject} has {count} problem{'s' if count != 1 else ''}", style="bold"), soft_wrap=True)
        for problem in error.problems:
            _print_problem(out, problem)
    else:
        head, *rest = str(error).splitlines() or [type(error).__name__]
        out.print(Text(head, style="bold red"), soft_wrap=True)
        for line in rest:
            out.print(Text(line), soft_wrap=True)


def _print_problem(out: Console, problem: Problem) -> None:
    head, *rest = str(problem).splitlines()
    key = len(problem.key)
    out.print(Text.assemble((head[:key], "bold red"), head[key:]), soft_wrap=True)
    for line in rest:
        label, text = line[:LABEL_WIDTH], line[LABEL_WIDTH:]
        # Only a terminal gets broken lines: whoever greps a log wants each answer on one.
        pieces = (wrap(text, out.width - LABEL_WIDTH, break_long_words=False) if out.is_terminal else [text]) or [""]
        style = "green" if label.strip() == "fix:" else ""
        for number, piece in enumerate(pieces):
            out.print(Text.assemble((label if number == 0 else " " * LABEL_WIDTH, "dim"), (piece, style)), soft_wrap=True)
