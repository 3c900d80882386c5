"""`fw sweep`: a search over settings of a recipe."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framework.cli.arguments import VerbParser
from framework.cli.options import add_composition, add_recipe
from framework.cli.sweep_report import WORD, report
from framework.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from framework.sweep.driver import Plan, Result

MOST_SETTINGS = 10
"""Of more settings than this, only so many, the best, have their means printed."""


def parser() -> VerbParser:
    """The words of `fw sweep`."""
    words = VerbParser(
        "sweep",
        usage="RECIPE [AXIS ...] [OVERRIDE ...] | report DIR [-o FILE]",
        about="""Run a recipe with many settings and tell which is best. An axis is an override with several values, in
        Hydra's grammar: seed=range(8), optimizer=adam,lion, optimizer.learning_rate=log(interval(1e-4,1e-1)); the
        recipe's section `sweep` may hold axes too. Trials that differ in traced values and seeds alone run as one
        compiled program. Each is an ordinary run directory. The same command with the same sweep.dir finishes what is
        unfinished. `fw sweep report DIR` writes a page, pictures and a table of what a sweep came to, also while it
        runs.""",
        examples=(
            "fw sweep digits_mlp 'optimizer.learning_rate=log(interval(1e-4,1e-1))' 'seed=range(8)' sweep=random",
            "fw sweep report runs/digits_mlp/sweep",
        ),
    )
    add_recipe(words)
    words.option("--plan", "--dry-run", action="store_true", help="tell the groups of trials, and run nothing")
    words.option("--fail-fast", action="store_true", help="end with the first trial that fails")
    words.option("--keep-going", action="store_true", help="run the others when a trial fails (default)")
    words.option(
        "-o", "--output", metavar="FILE", type=Path, help="with report: where the page goes (DIR/report/index.html)"
    )
    add_composition(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Run the sweep and print its table; 2 where a trial failed."""
    from framework.cli.loading import check_words, print_composition

    if options.recipe == WORD:
        return report(options)
    if options.output is not None:
        raise ConfigError(Problem("--output", "is of `fw sweep report`", fix="leave out -o"))
    if print_composition(options):
        return 0
    check_words(options)
    request = request_of(options, None)
    if options.plan:
        from framework.sweep.driver import plan

        _print_plan(plan(request))
        return 0
    from framework.cli.printing import say
    from framework.sweep.driver import sweep
    from framework.sweep.table import SweepTable

    with SweepTable(lambda line: say(line, style="dim")) as table:
        result = sweep(request, tell=table.say, directors=[table])
    _print_result(result, options.recipe)
    return 2 if result.failed or result.best is None else 0


def request_of(options: argparse.Namespace, stages: tuple[str, ...] | None) -> Any:
    """The sweep that the words ask for.

    Raises:
      ConfigError: both --fail-fast and --keep-going.
    """
    from framework.sweep.prepared import Request

    fast, going = getattr(options, "fail_fast", False), getattr(options, "keep_going", False)
    if fast and going:
        raise ConfigError(Problem("--fail-fast", "contradicts --keep-going", "one of the two", fix="leave out one"))
    policy = ("sweep.fail_fast=true",) if fast else ("sweep.fail_fast=false",) if going else ()
    overrides = (*options.overrides, *policy)
    return Request(options.recipe, overrides, stages, tuple(options.config_dir), tuple(options.trust))


def _print_plan(plan: Plan) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table

    axes = plan.prepared.space.axes
    rows = [(axis.key, axis.text, _role(plan.traced[axis.key], bool(axis.when))) for axis in axes]
    table(("key", "values", ""), rows)
    say()
    shown = [
        (str(index + 1), str(len(group.members)), _spelled(group.structural), ", ".join(group.traced) or "-")
        for index, group in enumerate(plan.groups)
    ]
    table(("group", "trials", "structure", "differ in"), shown, right=("group", "trials"))
    say()
    known = sum(len(group.members) for group in plan.groups)
    more = f", of which {known} are known before any has run" if known < plan.trials else ""
    programs = f"{len(plan.groups)} compiled program{'s' if len(plan.groups) != 1 else ''}"
    say(f"{plan.trials} trials{more}; {programs}", style="bold")


def _role(traced: bool, conditional: bool) -> str:
    what = "traced: one program for all values" if traced else "structural: a program for each value"
    return f"{what}; conditional" if conditional else what


def _spelled(settings: Any) -> str:
    from framework.config.compose.text import ABSENT
    from framework.config.validation.wording import as_override

    parts = [f"{key}={'-' if value is ABSENT else as_override(value)}" for key, value in settings.items()]
    return " ".join(parts[:4]) + (f" and {len(parts) - 4} more" if len(parts) > 4 else "") or "-"


def _print_result(result: Result, recipe: str) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.report.words import number

    names = result.section.objectives
    keys = [axis.key for axis in result.prepared.space.axes]
    rows = [
        (
            str(row.number),
            *(_value(row.parameters.get(key)) for key in keys),
            *((number(value) for value in row.objective) if row.objective else ["-"] * len(names)),
            row.status.replace("_", " "),
            "-" if row.seconds is None else f"{row.seconds:.1f}",
        )
        for row in result.ranked
    ]
    columns = ("trial", *keys, *names, "status", "seconds")
    say()
    table(columns, rows, right=("trial", *names, "seconds"))
    _print_means(result.folder)
    say()
    best = result.best
    if best is not None:
        words = " ".join(shlex.quote(text) for text in result.overrides(best))
        say(f"best: trial {best.number}, {best.path}", style="bold green")
        say(f"  fw run {shlex.quote(recipe)} {words}")
    else:
        say("no trial has an objective", style="bold red")
    if result.failed:
        say(f"{len(result.failed)} of {len(rows)} trials failed; why is in their log.txt", style="bold red")
    say(f"sweep: {result.folder}", style="bold")


def _print_means(folder: Path) -> None:
    """Means over seeds, where trials differ in seeds alone; the best of them where they are many."""
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.report.words import plus_minus
    from framework.sweep.report.gathered import gather
    from framework.sweep.report.means import are_repeated, settings_of

    sweep = gather(folder)
    settings = settings_of(sweep)
    if not are_repeated(settings):
        return
    say()
    say("mean ± standard deviation over seeds", style="bold")
    rows = [
        (
            *map(_value, setting.parameters.values()),
            f"{setting.done}" if setting.done == len(setting.places) else f"{setting.done} of {len(setting.places)}",
            *(
                plus_minus(found.mean, found.deviation) if found is not None else "-"
                for found in map(setting.spreads.get, sweep.objectives)
            ),
        )
        for setting in settings[:MOST_SETTINGS]
    ]
    table((*settings[0].parameters, "runs", *sweep.objectives), rows, right=("runs", *sweep.objectives))
    if len(settings) > MOST_SETTINGS:
        rest = f"and {len(settings) - MOST_SETTINGS} more settings; all metrics of all: fw compare"
        say(f"{rest} {shlex.quote(str(folder))}", style="dim")


def _value(value: Any) -> str:
    from framework.config.validation.wording import as_override

    return "-" if value is None else as_override(value)
