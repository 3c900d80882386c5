"""Tables and definition lists that fit the width of the terminal and end no line in spaces."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from textwrap import wrap

from rich.text import Text

from framework.cli.printing import console

GAP = "  "
_HARD_SPACE = "\u00a0"  # at which textwrap breaks no line
NARROWEST = 12  # columns below which a wrapped column is not squeezed


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    styles: Sequence[str] = ("cyan",),
    fold_piped: bool = True,
) -> None:
    """Print rows under bold headings; cells that are too wide are broken between words.

    Args:
      columns: the headings; no line is spent on them where all are empty.
      right: headings of the columns that hold numbers.
      styles: one per column, from the left; missing ones are plain.
      fold_piped: otherwise only a terminal gets broken cells, and each row is one line to whoever greps.
    """
    out = console()
    cells = [list(map(str, row)) for row in rows]
    width = out.width if fold_piped or out.is_terminal else sys.maxsize
    widths = _fit([[heading, *(row[i] for row in cells)] for i, heading in enumerate(columns)], width)
    styles = [*styles, *[""] * (len(columns) - len(styles))]
    rightly = [heading in right for heading in columns]
    if any(columns):
        for line in _lines(columns, widths, rightly, ["bold"] * len(columns)):
            out.print(line, soft_wrap=True)
    for row in cells:
        for line in _lines(row, widths, rightly, styles):
            out.print(line, soft_wrap=True)


def definitions(entries: Iterable[tuple[str, Sequence[str]]], *, indent: int = 2, plain: bool = False) -> None:
    """Print words with the lines that explain them beside and below.

    Args:
      entries: a word and its lines.
      indent: spaces before the words.
      plain: all lines count the same; otherwise the first of each stands out.
    """
    out = console()
    entries = list(entries)
    column = indent + max((len(name) for name, _ in entries), default=0) + len(GAP)
    for name, lines in entries:
        head: str | None = name
        for number, line in enumerate(lines):
            for piece in _wrapped(line, max(out.width - column, NARROWEST)):
                margin = f"{'':<{indent}}{head or '':<{column - indent}}"
                out.print(
                    Text.assemble((margin, "cyan"), (piece, "" if number == 0 or plain else "dim")), soft_wrap=True
                )
                head = None


def _fit(columns: Sequence[Sequence[str]], width: int) -> list[int]:
    """Natural widths, the widest column shortened again and again until all fit."""
    widths = [max(map(len, column)) for column in columns]
    room = width - len(GAP) * (len(columns) - 1)
    while sum(widths) > room and max(widths) > NARROWEST:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int], rightly: Sequence[bool], styles: Sequence[str]) -> list[Text]:
    wrapped = [_wrapped(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    lines = []
    for number in range(max(map(len, wrapped))):
        line = Text()
        for i, pieces in enumerate(wrapped):
            piece = pieces[number] if number < len(pieces) else ""
            padded = piece.rjust(widths[i]) if rightly[i] else piece.ljust(widths[i])
            line.append(padded + (GAP if i < len(wrapped) - 1 else ""), style=styles[i])
        line.rstrip()
        lines.append(line)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Lines broken between words, but not within brackets: a shape such as `[64, 10]` stays in one piece."""
    held = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(" ", _HARD_SPACE), text)
    return [line.replace(_HARD_SPACE, " ") for line in wrap(held, width, break_on_hyphens=False)]
