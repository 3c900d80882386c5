"""`-m`: every combination of swept overrides, as Hydra expands them, each in a run directory of its own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.config.compose import Loaded


@dataclass(frozen=True)
class Job:
    """What one job came to; plain, so that a launcher may send it between processes.

    Attributes:
      number: from 0.
      overrides: those that its recipe was composed with.
      path: its run directory.
      metrics: `split.metric` -> number.
    """

    number: int
    overrides: tuple[str, ...]
    path: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class Task:
    """Runs the stages of one job's recipe."""

    stages: tuple[str, ...] | None

    def __call__(self, loaded: Loaded, number: int, folder: Path) -> Job:
        """Run in `folder/number`, unless the recipe names its own run directory."""
        from framework.cli.printing import say
        from framework.cli.running import run_one

        overrides = given(loaded)
        say(f"job {number}: {' '.join(overrides)}", style="bold")
        directory = None if loaded.config.run.dir else folder / str(number)
        outcome = run_one(loaded, self.stages, directory)
        return Job(number, overrides, str(outcome.path), _scalars(outcome.result.get("metrics", {})))


def run_jobs(options: argparse.Namespace, stages: Sequence[str] | None) -> int:
    """Run every job of the sweep and print a table of what they came to."""
    from framework.cli.loading import check_words
    from framework.config.compose import multirun

    check_words(options)
    jobs = multirun(
        options.recipe,
        options.overrides,
        Task(tuple(stages) if stages else None),
        config_dirs=options.config_dir,
        trust=options.trust,
    )
    print_jobs([job for job in jobs if isinstance(job, Job)])
    return 0


def print_jobs(jobs: Sequence[Job]) -> None:
    """Print a line for each job: the overrides in which jobs differ, their metrics, their folders."""
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.report.words import number

    if not jobs:
        return
    shared = set.intersection(*(set(job.overrides) for job in jobs))
    names = list(dict.fromkeys(name for job in jobs for name in job.metrics))
    rows = [
        (
            str(job.number),
            " ".join(text for text in job.overrides if text not in shared),
            *(number(job.metrics[name]) if name in job.metrics else "-" for name in names),
            job.path,
        )
        for job in jobs
    ]
    say()
    table(("job", "overrides", *names, "run"), rows, right=("job", *names))


def given(loaded: Loaded) -> tuple[str, ...]:
    """The overrides that a recipe was composed with, each once."""
    origins = [*(chosen for _, chosen in loaded.choices.values()), *loaded.origins.values()]
    return tuple(
        dict.fromkeys(origin.removeprefix("override ") for origin in origins if origin.startswith("override "))
    )


def _scalars(metrics: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {
        f"{split}.{name}": value
        for split, values in metrics.items()
        for name, value in values.items()
        if not isinstance(value, list)
    }
