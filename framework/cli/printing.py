"""How `fw` prints: one console per stream, tables that fit the width, errors in plain words."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import replace
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from framework.core.errors import ConfigError, FrameworkError, Problem

NARROWEST = 40  # columns assumed where a terminal claims fewer
PIPED_WIDTH = 120  # columns assumed where no terminal tells

_LABEL = re.compile(r"[A-Z]\w*: |y\S* = ")
LABEL_WIDTH = 13  # of "  came from: ", under which a wrapped line continues


def console(error: bool = False) -> Console:
    """The console of stdout or stderr. Colours only on a terminal, or as NO_COLOR and FORCE_COLOR say."""
    stream = sys.stderr if error else sys.stdout
    width = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns
    # rich leaves bold and dim on under NO_COLOR; a log file is better without any escape.
    colours = None if os.environ.get("NO_COLOR") else "auto"
    return _Console(
        file=stream, width=max(width, NARROWEST), color_system=colours, highlight=False, markup=False, emoji=False
    )


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to `main`: rich would end the process here."""
        raise  # the BrokenPipeError that rich is handling


def say(text: str = "", style: str | None = None) -> None:
    """Print a line that is never broken, so that a pipe gets it as it is."""
    console().print(Text(text, style=style or ""), soft_wrap=True)


def prose(text: str, style: str | None = None) -> None:
    """Print text broken at the width of the terminal. Indented lines and labelled ones (`Source: ...`) start anew."""
    out = console()
    for line in _joined(text.strip().splitlines()):
        indent = line[: len(line) - len(line.lstrip())]
        for piece in wrap(line, out.width, break_on_hyphens=False, subsequent_indent=indent) or [""]:
            out.print(Text(piece, style=style or ""), soft_wrap=True)


def _joined(lines: list[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        fresh = not joined or not joined[-1] or not line or line.startswith((" ", "- ")) or _LABEL.match(line)
        if fresh:
            joined.append(line)
        else:
            joined[-1] += " " + line
    return joined


def print_error(error: FrameworkError) -> None:
    """Print an error on stderr: the keys stand out, and long lines go on under their label."""
    out = console(error=True)
    if isinstance(error, ConfigError):
        if error.subject:
            count = len(error.problems)
            out.print(
                Text(f"{error.subject} has {count} problem{'s' if count != 1 else ''}", style="bold"), soft_wrap=True
            )
        for problem in error.problems:
            _print_problem(out, _with_fix(problem))
    elif error.args and isinstance(error.args[0], Problem):
        _print_problem(out, _with_fix(error.args[0]))
    else:
        head, *rest = str(error).splitlines() or [type(error).__name__]
        out.print(Text(head, style="bold red"), soft_wrap=True)
        for line in rest:
            out.print(Text(line), soft_wrap=True)


def _with_fix(problem: Problem) -> Problem:
    """A problem that names no cure says at least where to apply one."""
    if problem.fix or not problem.origin:
        return problem
    if problem.origin.startswith("override "):
        return replace(problem, fix=f"another value than in {problem.origin.removeprefix('override ')}")
    if problem.origin.startswith("configs/"):
        # What travels with the package is changed from outside.
        return replace(problem, fix=f"{problem.key}=VALUE, with another value than in {problem.origin.splitlines()[0]}")
    return replace(problem, fix=f"change {problem.key} in {problem.origin.splitlines()[0]}")


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
            out.print(
                Text.assemble((label if number == 0 else " " * LABEL_WIDTH, "dim"), (piece, style)), soft_wrap=True
            )
