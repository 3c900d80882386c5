"""A batch job of SLURM: a script to read, handed to sbatch."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from framework.core.errors import ConfigError, Problem, RunError
from framework.core.files import unwritable, write_atomically
from framework.launch.ending import LOST, SIGNALLED
from framework.launch.job import HIDDEN, Job
from framework.launch.settings import Slurm

STRAGGLERS_S = 600
"""Seconds that processes may go on after the first has ended: rank 0 writes results and figures at the end, and whoever
lost another ends by itself within the heartbeat."""


def render(job: Job, settings: Slurm, folder: Path) -> str:
    """The script.

    Args:
      job: what is run; its run directory is absolute.
      settings: the cluster's.
      folder: where the job starts, an absolute path.

    Raises:
      ConfigError: the processes do not fill the nodes evenly, or the GPUs of a node its processes.
    """
    _require_even(job, settings)
    name = settings.name or job.loaded.config.name
    parts = [
        "#!/bin/bash",
        f"# {job.loaded.subject}, {_counted(job.processes, 'process', 'processes')}. Written by fw launch.",
        *_directives(job, settings, name, folder),
        "",
        *([*settings.setup, ""] if settings.setup else []),
        *_rendezvous(job),
        "",
        *_step(job, settings),
        *_requeue(settings),
    ]
    return "\n".join(parts) + "\n"


def _require_even(job: Job, settings: Slurm) -> None:
    problems = []
    tasks, gpus = settings.tasks_per_node, settings.gpus_per_node
    if job.processes % tasks:
        problems.append(
            Problem(
                "--tasks-per-node",
                f"{job.processes} processes do not fill nodes of {tasks}",
                expected="a number that divides the processes",
                fix=f"--slurm {-(-job.processes // tasks) * tasks}",
            )
        )
    if gpus % tasks:
        problems.append(
            Problem(
                "--gpus-per-node",
                f"{gpus} GPUs cannot be shared evenly by {tasks} processes",
                expected=f"a multiple of {tasks}",
                fix=f"--tasks-per-node {gpus}",
            )
        )
    if problems:
        raise ConfigError(problems)


def _directives(job: Job, settings: Slurm, name: str, folder: Path) -> Iterator[str]:
    options = {
        "job-name": name,
        "nodes": job.processes // settings.tasks_per_node,
        "ntasks-per-node": settings.tasks_per_node,
        "gpus-per-node": settings.gpus_per_node or None,
        "cpus-per-task": settings.cpus_per_task,
        "mem": settings.mem,
        "time": settings.time,
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint,
        "chdir": folder,
        "output": job.run_dir / HIDDEN / "slurm-%j.out",
        "open-mode": "append",
        # Without `B:` it goes to the processes of the step and not to this shell, which has to outlive them.
        "signal": f"TERM@{settings.notice_s}",
    }
    for option, value in options.items():
        if value is not None:
            yield f"#SBATCH --{option}={_quoted(str(value))}"
    yield "#SBATCH --requeue"
    for directive in settings.directives:
        yield f"#SBATCH {directive}"


def _rendezvous(job: Job) -> Iterator[str]:
    """How the processes find each other. JAX's own detection of SLURM gives each a single GPU, whatever it has."""
    yield "export PYTHONUNBUFFERED=1"
    if job.processes == 1:
        return
    yield "# The first node is where the processes meet; the port follows from the job's number."
    yield 'first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)'
    yield 'export JAX_COORDINATOR_ADDRESS="$first:$((61440 + SLURM_JOB_ID % 4096))"'
    yield f"export JAX_NUM_PROCESSES={job.processes}"


def _step(job: Job, settings: Slurm) -> Iterator[str]:
    command = shlex.join([settings.python or sys.executable, "-m", "framework", *job.words()])
    # Since SLURM 22.05 a step does not inherit the number of cores that its job asked for.
    cores = f" --cpus-per-task={settings.cpus_per_task}" if settings.cpus_per_task else ""
    if job.processes == 1:
        yield f"srun{cores} {command}"
        return
    yield "# --wait: how long the others may go on after the first has ended."
    yield f"srun --label{cores} --kill-on-bad-exit=0 --wait={STRAGGLERS_S} bash -c '"
    yield "    export JAX_PROCESS_ID=$SLURM_PROCID"
    each = settings.gpus_per_node // settings.tasks_per_node
    if each == 1:
        yield "    export JAX_LOCAL_DEVICE_IDS=$SLURM_LOCALID"
    elif each:
        first = f"SLURM_LOCALID * {each}"
        yield f"    export JAX_LOCAL_DEVICE_IDS=$(seq -s , $(({first})) $(({first} + {each - 1})))"
    yield '    exec "$@"\' rank \\'
    yield f"    {command}"


def _requeue(settings: Slurm) -> Iterator[str]:
    yield "code=$?"
    yield ""
    if settings.restarts == 0:
        yield 'exit "$code"'
        return
    yield f"# {SIGNALLED} and more tell of a signal, {LOST} of a lost process: the run goes on from its checkpoint."
    yield "restarts=${SLURM_RESTART_COUNT:-0}"
    yield f"if (((code >= {SIGNALLED} || code == {LOST}) && restarts < {settings.restarts})); then"
    yield f'    echo "ended with code $code; queued again, $((restarts + 1)) of {settings.restarts}"'
    yield '    scontrol requeue "$SLURM_JOB_ID"'
    yield "fi"
    yield 'exit "$code"'


def write(script: str, run_dir: Path) -> Path:
    """Put the script into the run directory.

    Raises:
      RunError: it cannot be written.
    """
    path = run_dir / HIDDEN / "job.sbatch"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    write_atomically(path, script)
    return path


def submit(script: Path) -> str | None:
    """Hand the script to sbatch; the job's number, or None where there is no sbatch.

    Raises:
      RunError: sbatch refuses it.
    """
    program = shutil.which("sbatch")
    if program is None:
        return None
    done = _run([program, "--parsable", str(script)])
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise RunError(Problem("sbatch", f"refused {script}: {reason}", fix=f"mend it, then: sbatch {script}"))
    return done.stdout.strip().partition(";")[0]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _quoted(text: str) -> str:
    """As sbatch reads it, which knows quotes and no other escapes."""
    return f'"{text}"' if any(letter.isspace() for letter in text) else text


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
