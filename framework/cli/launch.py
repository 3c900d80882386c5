"""`fw launch`: one recipe as several processes, here or on a cluster."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from framework.cli.arguments import VerbParser, one_of, positive
from framework.cli.launch_options import add_settings, given_settings
from framework.cli.options import add_recipe
from framework.core.errors import ConfigError, Problem
from framework.launch.job import Job, new_run
from framework.launch.reading import settings_for
from framework.launch.settings import TARGETS, Kubernetes, Local, Settings, Slurm

VERB = "what each process does: `fw run` (default) or `fw train`"


def parser() -> VerbParser:
    """The words of `fw launch`."""
    words = VerbParser(
        "launch",
        usage="--local|--slurm|--k8s N RECIPE [OVERRIDE ...]",
        about="""Run a recipe as N processes that work as one: on this machine, as a batch job of SLURM, or as a JobSet
        on Kubernetes. The recipe is validated before anything is started or written. All processes and all restarts
        share one run directory, so that a job that was stopped goes on where it was.""",
        examples=(
            "fw launch --local 2 stdlib_gpt parallel=data",
            "fw launch --slurm 16 stdlib_gpt --settings cluster.yaml --time 8:00:00 run.dir=runs/gpt",
        ),
    )
    add_recipe(words)
    words.option("--local", metavar="N", type=positive("--local"), help="N processes on this machine")
    words.option("--slurm", metavar="N", type=positive("--slurm"), help="a batch job of N processes, by sbatch")
    words.option("--k8s", metavar="N", type=positive("--k8s"), help="a JobSet of N pods")
    words.option("--verb", metavar="run|train", type=one_of("--verb", "run", "train"), default="run", help=VERB)
    words.option("--dry-run", action="store_true", help="print what would be started or submitted, and stop")
    words.option("--submit", action="store_true", help="with --k8s: hand the JobSet to kubectl")
    words.option("-o", "--output", metavar="FILE", type=Path, help="with --k8s: write the YAML there")
    add_settings(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Start the processes and wait for them, or hand the job to the scheduler."""
    target = _target(options)
    processes = getattr(options, target)
    chosen = next(each for each in TARGETS if each.option == target)
    settings = settings_for(chosen, options.settings, given_settings(options))
    job = _job(options, processes, settings)
    if isinstance(settings, Local):
        return _run_here(options, job, settings)
    if isinstance(settings, Slurm):
        return _submit_batch(options, job, settings)
    return _submit_job_set(options, job, settings)


def _target(options: argparse.Namespace) -> str:
    """The one of `--local`, `--slurm` and `--k8s` that was typed."""
    names = [each.option for each in TARGETS]
    typed = [name for name in names if getattr(options, name) is not None]
    if len(typed) == 1:
        for word, only in (("submit", "k8s"), ("output", "k8s")):
            if getattr(options, word) and typed[0] != only:
                problem = Problem(f"--{word}", f"--{typed[0]} has no such option", fix=f"leave out --{word}")
                raise ConfigError(problem)
        return typed[0]
    found = f"{' and '.join(f'--{name}' for name in typed)} are both given" if typed else "where to run is not said"
    expected = "one of --local N, --slurm N, --k8s N"
    fix = f"leave out --{typed[1]}" if typed else f"fw launch --local 2 {options.recipe}"
    raise ConfigError(Problem("fw launch", found, expected, fix=fix))


def _job(options: argparse.Namespace, processes: int, settings: Settings) -> Job:
    """The recipe, validated as each process will read it, and the run directory that all share."""
    from framework.cli.loading import load
    from framework.launch.dividing import require_divisible

    loaded = load(options)
    require_divisible(loaded, processes, _devices_of_each(processes, settings))
    asked = Path(loaded.config.run.dir) if loaded.config.run.dir else None
    if isinstance(settings, Kubernetes):
        run_dir = _in_volume(asked, new_run(loaded.config.name, root=Path()), settings)
    else:
        run_dir = asked or new_run(loaded.config.name)
        _require_usable(run_dir, loaded.config.model_dump(mode="json"))
    words = [word for prefix in options.trust for word in ("--trust", prefix)]
    if not isinstance(settings, Kubernetes):  # there the recipe travels composed
        words += [word for folder in options.config_dir for word in ("--config-dir", folder)]
    return Job(loaded, options.recipe, options.verb, processes, PurePosixPath(run_dir), tuple(words))


def _devices_of_each(processes: int, settings: Settings) -> int | None:
    if isinstance(settings, Local):
        from framework.launch.devices import devices_of_each

        return devices_of_each(processes, settings.devices_per_process)
    if isinstance(settings, Slurm):
        return settings.gpus_per_node // settings.tasks_per_node or None
    return settings.gpus + settings.tpus or None


def _require_usable(run_dir: Path, tree: dict[str, Any]) -> None:
    """Refuse a run directory that holds another recipe's run, before any process does."""
    from framework.train.directory import require_usable

    require_usable(run_dir, tree)


def _in_volume(asked: Path | None, fresh: Path, settings: Kubernetes) -> PurePosixPath:
    """The run directory inside the claim, whose folder relative paths start from."""
    path = PurePosixPath(settings.mount) / (asked or fresh)
    if PurePosixPath(settings.mount) in path.parents:
        return path
    found = f"{path} is not inside {settings.mount}, where the claim is: the run would end with its pod"
    raise ConfigError(Problem("run.dir", found, f"a folder below {settings.mount}", fix=f"run.dir={path.name}"))


def _run_here(options: argparse.Namespace, job: Job, settings: Local) -> int:
    import shlex

    from framework.cli.printing import say
    from framework.launch.devices import variables
    from framework.launch.local import Group

    command = [sys.executable, "-m", "framework", *job.words()]
    each = variables(job.processes, settings.devices_per_process)
    if options.dry_run:
        for rank in range(job.processes):
            own = {"JAX_PROCESS_ID": str(rank)} if job.processes > 1 else {}
            say(shlex.join([*(f"{name}={value}" for name, value in {**own, **each(rank)}.items()), *command]))
        return 0
    group = Group(
        command,
        job.processes,
        variables=each,
        notice_s=settings.notice_s,
        restarts=settings.restarts,
        out=sys.stdout,
        err=sys.stderr,
    )
    return group.run()


def _submit_batch(options: argparse.Namespace, job: Job, settings: Slurm) -> int:
    from dataclasses import replace

    from framework.cli.printing import say
    from framework.launch import slurm

    run_dir = Path(job.run_dir).absolute()
    job = replace(job, run_dir=PurePosixPath(run_dir))
    text = slurm.render(job, settings, Path.cwd())
    if options.dry_run:
        sys.stdout.write(text)
        return 0
    script = slurm.write(text, run_dir)
    number = slurm.submit(script)
    if number is None:
        say(f"sbatch is not on this machine. Where it is: sbatch {script}", style="yellow")
    else:
        say(f"submitted: job {number}", style="bold green")
        say(f"log: {script.parent / f'slurm-{number}.out'}")
    say(f"script: {script}")
    say(f"run: {run_dir}", style="bold")
    return 0


def _submit_job_set(options: argparse.Namespace, job: Job, settings: Kubernetes) -> int:
    from framework.cli.printing import say
    from framework.core.files import write_atomically
    from framework.launch import jobset

    text = jobset.render(job, settings)
    if options.output is not None and not options.dry_run:
        write_atomically(options.output, text)
        say(f"written: {options.output}", style="bold")
    if options.submit and not options.dry_run:
        say(jobset.submit(text), style="bold green")
        say(f"run: {job.run_dir}", style="bold")
    if options.dry_run or not (options.submit or options.output):
        sys.stdout.write(text)
    return 0
