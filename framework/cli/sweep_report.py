"""`fw sweep report`: what a sweep came to, as a page, pictures and a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from framework.core.errors import ConfigError, Problem

WORD = "report"
"""Where it stands in place of a recipe, the next word is the folder of a sweep."""


def report(options: argparse.Namespace) -> int:
    """Write the report of the sweep in a folder, and say where.

    Raises:
      ConfigError: not exactly one folder was named, or an option stands there that has no meaning here.
      RunError: the folder holds no sweep.
    """
    expected = "fw sweep report DIR [-o FILE]"
    problems = []
    if len(options.overrides) != 1:
        found = "no folder is named" if not options.overrides else f"one word too many: '{options.overrides[1]}'"
        problems.append(Problem("fw sweep report", found, expected, fix="fw sweep report DIR"))
    for name in ("plan", "fail_fast", "keep_going"):
        if getattr(options, name):
            spelled = f"--{name.replace('_', '-')}"
            problems.append(Problem(spelled, "has no meaning for a report", expected, fix=f"leave out {spelled}"))
    if problems:
        raise ConfigError(problems)
    from framework.cli.printing import say
    from framework.sweep.report.writing import write_report

    written = write_report(Path(options.overrides[0]), options.output)
    counts = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in written.sweep.counts.items())
    say(f"{len(written.sweep.rows)} trials: {counts or 'none yet'}")
    best = written.sweep.best
    if best is not None:
        say(f"best: {written.sweep.command(best)}", style="bold green")
    if written.missing:
        say(written.missing, style="dim")
    others = [written.table, *written.pictures]
    say(f"beside it: {', '.join(path.name for path in others)} in {written.table.parent}")
    say(f"report: {written.page}", style="bold")
    return 0
