"""What `fw run` and `fw train` share: one recipe, or each job of a multirun, then what it came to."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.config.compose import Loaded
    from framework.train.stages import Outcome


def execute_stages(options: argparse.Namespace, stages: Sequence[str] | None) -> int:
    """Run stages of the recipe that the words name (None: those of the recipe), and print the results."""
    from framework.cli.loading import load, print_composition

    if print_composition(options):
        return 0
    if options.multirun:
        from framework.cli.multirun import run_jobs

        return run_jobs(options, stages)
    outcome = run_one(load(options), stages)
    if outcome.first:
        print_outcome(outcome)
    return 0


def run_one(loaded: Loaded, stages: Sequence[str] | None, directory: Path | None = None) -> Outcome:
    """Run one composed recipe with its progress on the terminal."""
    from framework.train.setup import Setup
    from framework.train.stages import run

    setup = Setup(loaded)
    display = Display(setup)
    try:
        return run(loaded, stages, observers=[display], directory=directory, setup=setup)
    finally:
        display.close()


class Display:
    """The progress on the terminal; made at the first step, when the length of the run is known."""

    def __init__(self, setup: Any) -> None:
        self._setup = setup
        self._shown: Any = None

    def record(self, record: dict[str, Any]) -> None:
        """Show the latest values."""
        self._display().record(record)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Show how far training is."""
        self._display().advance(step, steps, seconds)

    def settle(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Give the terminal back."""
        if self._shown is not None:
            self._shown.close()

    def _display(self) -> Any:
        if self._shown is None:
            from framework.train.showing import console_for

            self._shown = console_for(self._setup)
        return self._shown


def print_outcome(outcome: Outcome) -> None:
    """Print the stages, the metrics of each evaluated split, and where the run is."""
    from framework.cli.printing import console, say
    from framework.report.tables import results
    from framework.report.words import duration

    result = outcome.result
    if outcome.skipped and not outcome.done:
        say(f"complete: {', '.join(outcome.skipped)} finished before", style="green")
    elif outcome.skipped:
        say(f"finished before: {', '.join(outcome.skipped)}", style="dim")
    if "metrics" in result:
        say(f"checkpoint of step {result['evaluated_step']:,}", style="bold")
        out = console()
        out.print(results(result["metrics"], outcome.setup.dataset.classes, width=out.width))
        say()
    if "step" in result:
        seconds = duration(result["seconds"])
        say(f"{result['parameters']:,} parameters, {result['step']:,} steps in {seconds}, {result['finished']}")
    say(f"run: {outcome.path}", style="bold")
