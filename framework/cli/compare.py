"""`fw compare`: runs beside one another."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framework.cli.arguments import VerbParser
from framework.core.errors import ConfigError, Problem, RunError
from framework.core.words import closest, listed

if TYPE_CHECKING:
    from framework.report.comparison import Run, Spread

SEED = "seed"


def parser() -> VerbParser:
    """The words of `fw compare`."""
    words = VerbParser(
        "compare",
        usage="RUN [RUN ...]",
        about="""Print runs beside one another: the settings in which they differ, and what they came to. A folder
        that holds runs, such as that of a sweep, stands for all of them. Where some differ in the seed alone, a second
        table has the mean and the standard deviation of each metric over seeds. Nothing is computed anew.""",
        examples=(
            "fw compare runs/first runs/second",
            "fw compare runs/digits_mlp/sweep --sort test.accuracy --metric test.accuracy",
        ),
    )
    words.word("runs", metavar="RUN", nargs="+", type=Path, help="a run directory, or a folder of some")
    words.option(
        "--metric",
        metavar="NAME",
        action="append",
        default=[],
        help="show this one, such as test.loss; may be repeated",
    )
    words.option("--over", metavar="KEY", action="append", default=[], help="take means over KEY (default: seed)")
    words.option("--sort", metavar="NAME", help="order by a metric, the smallest first; -NAME: the greatest first")
    words.option("--json", action="store_true", help="print JSON: a list of runs, and one of means")
    return words


def execute(options: argparse.Namespace) -> int:
    """Read the runs and print the tables."""
    from framework.report.comparison import differing, metric_names, repetitions

    runs = _read(options.runs)
    known = metric_names(runs)
    shown = [_known("--metric", name, known) for name in options.metric] or known
    keys = differing(runs)
    over = [_known("--over", key, keys) for key in options.over] or [key for key in keys if key.split(".")[-1] == SEED]
    runs = _sorted(runs, options.sort, known)
    groups = repetitions(runs, over)
    repeated = groups if len(groups) < len(runs) else []
    if options.json:
        _print_json(runs, repeated, keys, over, shown)
        return 0
    _print_runs(runs, keys, shown)
    if repeated:
        _print_means(repeated, [key for key in keys if key not in over], over, shown)
    return 0


def _read(paths: Sequence[Path]) -> list[Run]:
    from framework.config.compose.document import read
    from framework.report.comparison import read_run

    problems: list[Problem] = []
    places = dict.fromkeys(place for path in paths for place in _runs_in(path, problems))
    runs = []
    for place in places:
        document = read(place / "config.yaml", str(place / "config.yaml"))
        runs.append(read_run(place, document.value if isinstance(document.value, dict) else {}))
    if problems:
        raise ConfigError(problems)
    if len(runs) < 2:
        raise RunError(Problem("fw compare", "one run is named", "two or more", fix=f"fw compare {paths[0]} RUN"))
    return runs


def _runs_in(path: Path, problems: list[Problem]) -> list[Path]:
    """The run itself, or the runs right below a folder; by number where they are numbered."""
    if (path / "config.yaml").is_file():
        return [path]
    below = [entry for entry in path.iterdir() if (entry / "config.yaml").is_file()] if path.is_dir() else []
    if not below:
        found = "does not exist" if not path.exists() else "holds no run"
        problems.append(Problem(str(path), found, "a run directory, or a folder of some", fix="fw compare RUN RUN"))
    return sorted(below, key=lambda entry: (_place(entry.name), entry.name))


def _place(name: str) -> float:
    return int(name) if name.isdecimal() else float("inf")


def _known(option: str, name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    near = closest(name, known)
    fix = f"{option} {near}" if near else None
    expected = listed(known) if known else "a key in which the runs differ"
    raise ConfigError(Problem(option, f"nothing is called '{name}'", expected, fix=fix))


def _sorted(runs: list[Run], by: str | None, known: Sequence[str]) -> list[Run]:
    """By a metric, those without it last."""
    if by is None:
        return runs
    name = _known("--sort", by.removeprefix("-"), known)
    sign = -1.0 if by.startswith("-") else 1.0
    return sorted(runs, key=lambda run: (run.metrics.get(name) is None, sign * run.metrics.get(name, 0.0)))


def _print_runs(runs: Sequence[Run], keys: Sequence[str], metrics: Sequence[str]) -> None:
    """A line for each run; where that is too wide and runs are few, a column for each."""
    from framework.cli.printing import console
    from framework.cli.tables import GAP, table
    from framework.report.words import number

    heads = ["run", *keys, *metrics]
    rows = [
        [
            run.name,
            *_settings(run, keys),
            *(number(run.metrics[name]) if name in run.metrics else "-" for name in metrics),
        ]
        for run in runs
    ]
    columns = list(zip(heads, *rows, strict=True))
    width = sum(max(map(len, column)) + len(GAP) for column in columns) - len(GAP)
    if width > console().width and len(runs) < len(heads):
        table(columns[0], columns[1:])
    else:
        table(heads, rows, right=tuple(metrics))


def _print_means(
    groups: Sequence[Sequence[Run]], keys: Sequence[str], over: Sequence[str], metrics: Sequence[str]
) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.report.comparison import spread

    say()
    say(f"mean ± standard deviation over {', '.join(over)}", style="bold")
    rows = [
        (
            *_settings(group[0], keys),
            str(len(group)),
            *(_spelled(spread(run.metrics.get(name) for run in group)) for name in metrics),
        )
        for group in groups
    ]
    table((*keys, "runs", *metrics), rows, right=("runs", *metrics))


def _settings(run: Run, keys: Sequence[str]) -> list[str]:
    from framework.config.validation.wording import as_override
    from framework.report.comparison import ABSENT

    return [as_override(run.settings[key]) if key in run.settings else ABSENT for key in keys]


def _spelled(found: Spread | None) -> str:
    from framework.report.words import plus_minus

    return "-" if found is None else plus_minus(found.mean, found.deviation)


def _print_json(
    runs: Sequence[Run],
    groups: Sequence[Sequence[Run]],
    keys: Sequence[str],
    over: Sequence[str],
    metrics: Sequence[str],
) -> None:
    import json
    import math

    from framework.report.comparison import spread

    def told(value: float) -> float | None:
        return value if math.isfinite(value) else None

    means: list[dict[str, Any]] = []
    for group in groups:
        spreads = {name: spread(run.metrics.get(name) for run in group) for name in metrics}
        means.append(
            {
                "settings": {key: group[0].settings.get(key) for key in keys if key not in over},
                "runs": [run.name for run in group],
                "mean": {name: told(found.mean) for name, found in spreads.items() if found},
                "deviation": {name: told(found.deviation) for name, found in spreads.items() if found},
            }
        )
    each = [
        {
            "run": run.name,
            "settings": {key: run.settings.get(key) for key in keys},
            "metrics": {name: told(run.metrics[name]) for name in metrics if name in run.metrics},
        }
        for run in runs
    ]
    print(json.dumps({"runs": each, "means": means}, indent=2))
