"""`-m`: every combination of swept overrides, each in a run directory of its own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Job:
    """What one job came to.

    Attributes:
      number: from 0.
      overrides: those that its recipe was composed with.
      path: its run directory.
      metrics: `split.metric` -> number.
      status: how it ended.
    """

    number: int
    overrides: tuple[str, ...]
    path: str
    metrics: dict[str, float]
    status: str


def run_jobs(options: argparse.Namespace, stages: Sequence[str] | None) -> int:
    """Run every job of the sweep and print a table of what they came to; 2 where one failed."""
    from framework.cli.loading import check_words
    from framework.cli.printing import say
    from framework.cli.sweep import request_of
    from framework.sweep.driver import sweep
    from framework.sweep.table import SweepTable

    check_words(options)
    request = replace(request_of(options, tuple(stages) if stages else None), single=True)
    with SweepTable(lambda line: say(line, style="dim")) as table:
        result = sweep(request, tell=table.say, directors=[table])
    jobs = [
        Job(row.number, tuple(result.overrides(row)), row.path, _shown(row.metrics), row.status) for row in result.rows
    ]
    print_jobs(jobs)
    return 2 if result.failed else 0


def print_jobs(jobs: Sequence[Job]) -> None:
    """Print a line for each job: the overrides in which jobs differ, their metrics, their folders."""
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.report.words import number

    if not jobs:
        return
    shared = set.intersection(*(set(job.overrides) for job in jobs))
    names = list(dict.fromkeys(name for job in jobs for name in job.metrics))
    status = ("status",) if any(job.status != "done" for job in jobs) else ()
    rows = [
        (
            str(job.number),
            " ".join(text for text in job.overrides if text not in shared),
            *(number(job.metrics[name]) if name in job.metrics else "-" for name in names),
            *(job.status.replace("_", " ") for _ in status),
            job.path,
        )
        for job in jobs
    ]
    say()
    table(("job", "overrides", *names, *status, "run"), rows, right=("job", *names))


_NOT_EVALUATED = ("train", "valid", "parameters")


def _shown(metrics: dict[str, float]) -> dict[str, float]:
    """What the stage `evaluate` found; where it did not run, what validation did."""
    evaluated = {name: value for name, value in metrics.items() if name.partition(".")[0] not in _NOT_EVALUATED}
    return evaluated or {name: value for name, value in metrics.items() if name.startswith("valid.")}
