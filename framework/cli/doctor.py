"""`fw doctor`: is this machine fit for a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from framework.cli.arguments import VerbParser

NAME_WIDTH = 20


def parser() -> VerbParser:
    """The words of `fw doctor`."""
    words = VerbParser(
        "doctor",
        usage="",
        about="""Look at the Python, the packages and extras, the folder for runs, the caches, git and the devices
        that JAX finds. Each line says ok or warn; under a warning stands what to type. Nothing is
        changed.""",
        examples=("fw doctor", "JAX_PLATFORMS=cpu fw doctor --runs /scratch/runs"),
    )
    words.option(
        "--runs", metavar="DIR", default="runs", help="the folder that runs would be written to (default: runs)"
    )
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the findings."""
    from rich.text import Text

    from framework.cli.printing import console
    from framework.inspect.diagnosis import diagnose

    out = console()
    topic, warnings = "", 0
    for finding in diagnose(Path(options.runs)):
        if finding.topic != topic:
            out.print(Text(finding.topic, style="bold"))
            topic = finding.topic
        mark = ("  ok    ", "green") if finding.ok else ("  warn  ", "bold yellow")
        out.print(Text.assemble(mark, f"{finding.name:<{NAME_WIDTH}}", finding.value), soft_wrap=True)
        if not finding.ok:
            warnings += 1
            out.print(Text.assemble(" " * 8, ("fix: ", "dim"), (finding.fix, "green")), soft_wrap=True)
    text = "all is well" if not warnings else f"{warnings} warning{'s' * (warnings > 1)}"
    out.print(Text(text, style="bold green" if not warnings else "bold yellow"))
    return 0
