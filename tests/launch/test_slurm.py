"""A real SLURM runs what `fw launch --slurm` submits, and queues it again when it is asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ranks import ranks
from slurm_cluster import Cluster, missing, records, wait_for

pytestmark = pytest.mark.slurm
ROOT = Path(__file__).parent.parent.parent
TWO = ("2", "digits_mlp", "parallel=data", "trainer.epochs=12", "report.figures=false", "report.tensorboard=false")
LENGTH = ("trainer.epochs=60", "report.figures=false", "report.tensorboard=false")

Launch = Callable[..., str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    assert missing() == [], "needs SLURM and munge: apt-get install slurm-wlm munge"
    with Cluster() as running:
        yield running


@pytest.fixture
def launch(cluster: Cluster, tmp_path: Path) -> Launch:
    """Submit with `fw launch --slurm` and give the job's number."""

    def submit(*words: str) -> str:
        command = [sys.executable, "-m", "framework", "launch", "--slurm", *words]
        environment = {**cluster.environment, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"run: {tmp_path}" in done.stdout
        return done.stdout.partition("submitted: job ")[2].partition("\n")[0]

    return submit


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, in one process that nobody stops."""
    folder = tmp_path_factory.mktemp("reference")
    command = [sys.executable, "-m", "framework", "run", "digits_mlp", *LENGTH, "run.dir=run"]
    subprocess.run(command, cwd=folder, env=Cluster.plain_environment(ROOT), check=True, capture_output=True)
    return folder / "run"


def log(folder: Path, job: str) -> str:
    return (folder / "run" / ".launch" / f"slurm-{job}.out").read_text()


def test_a_job_ends_with_the_numbers_of_a_run_without_slurm(
    launch: Launch, cluster: Cluster, tmp_path: Path, reference: Path
) -> None:
    job = launch("1", "digits_mlp", *LENGTH, "run.dir=run", "--cpus-per-task", "1")
    assert cluster.wait_until(job, "COMPLETED", "FAILED")["JobState"] == "COMPLETED"
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == (reference / "metrics.jsonl").read_bytes()
    assert "run: " in log(tmp_path, job)


def test_a_job_that_gets_sigterm_is_queued_again_and_ends_bitwise_as_if_it_had_not(
    launch: Launch, cluster: Cluster, tmp_path: Path, reference: Path
) -> None:
    job = launch("1", "digits_mlp", *LENGTH, "run.dir=run")
    wait_for("the first record", lambda: len(records(tmp_path / "run")) > 3)
    cluster.ask("scancel", "--signal=TERM", job)
    wait_for("the job to be queued again", lambda: cluster.job(job)["Restarts"] == "1")
    stopped_at = len(records(tmp_path / "run"))
    assert 0 < stopped_at < len(records(reference))
    ended = cluster.wait_until(job, "COMPLETED", "FAILED")
    assert (ended["JobState"], ended["Restarts"]) == ("COMPLETED", "1")
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == (reference / "metrics.jsonl").read_bytes()
    assert "ended with code 143; queued again, 1 of 20" in log(tmp_path, job)


def test_a_job_that_gives_way_to_another_saves_itself_and_goes_on_afterwards(
    launch: Launch, cluster: Cluster, tmp_path: Path, reference: Path
) -> None:
    job = launch("1", "digits_mlp", *LENGTH, "run.dir=run")
    wait_for("the first record", lambda: len(records(tmp_path / "run")) > 3)
    assert cluster.ask("srun", "--partition=urgent", "--ntasks=4", "echo", "urgent") == "urgent\n" * 4
    assert cluster.wait_until(job, "COMPLETED", "FAILED")["JobState"] == "COMPLETED"
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == (reference / "metrics.jsonl").read_bytes()
    assert "SIGTERM: saved at step" in log(tmp_path, job)


def test_a_job_is_queued_again_no_more_often_than_allowed(launch: Launch, cluster: Cluster, tmp_path: Path) -> None:
    job = launch("1", "digits_mlp", *LENGTH, "run.dir=run", "--restarts", "0")
    wait_for("the first record", lambda: len(records(tmp_path / "run")) > 3)
    cluster.ask("scancel", "--signal=TERM", job)
    ended = cluster.wait_until(job, "COMPLETED", "FAILED")
    assert (ended["JobState"], ended["Restarts"], ended["ExitCode"]) == ("FAILED", "0", "143:0")


def test_a_mistake_is_not_tried_again(launch: Launch, cluster: Cluster, tmp_path: Path) -> None:
    job = launch(
        "1", "wine_mlp", "data=csv", "data.path=missing.csv", "data.target=kind", "data.classes=3", "run.dir=run"
    )
    ended = cluster.wait_until(job, "COMPLETED", "FAILED")
    assert (ended["JobState"], ended["Restarts"], ended["ExitCode"]) == ("FAILED", "0", "2:0")
    assert "missing.csv" in log(tmp_path, job)


def test_a_job_that_is_cancelled_stays_so(launch: Launch, cluster: Cluster, tmp_path: Path) -> None:
    job = launch("1", "digits_mlp", *LENGTH, "run.dir=run")
    wait_for("the first record", lambda: len(records(tmp_path / "run")) > 3)
    cluster.ask("scancel", job)
    cluster.wait_until(job, "CANCELLED")
    wait_for(
        "its processes to have ended",
        lambda: (
            cluster.job(job).get("EndTime") is not None
            and not cluster.ask("squeue", "--noheader", "--jobs", job).strip()
        ),
    )
    assert (cluster.job(job)["JobState"], cluster.job(job)["Restarts"]) == ("CANCELLED", "0")


def test_two_processes_are_one_job_and_go_on_bitwise_after_sigterm_and_after_the_death_of_one(
    launch: Launch, cluster: Cluster, tmp_path: Path
) -> None:
    words = (*TWO, "--tasks-per-node", "2")
    job = launch(*words, "run.dir=reference")
    assert cluster.wait_until(job, "COMPLETED", "FAILED")["JobState"] == "COMPLETED"
    reference = (tmp_path / "reference" / "metrics.jsonl").read_bytes()
    job = launch(*words, "run.dir=run")
    wait_for("the first record", lambda: len(records(tmp_path / "run")) > 1)
    cluster.ask("scancel", "--signal=TERM", job)
    wait_for("the job to be queued again", lambda: cluster.job(job)["Restarts"] == "1")
    before = len(records(tmp_path / "run"))
    wait_for("more records", lambda: len(records(tmp_path / "run")) > before)
    os.kill(ranks(SLURM_JOB_ID=job)[1], signal.SIGKILL)
    wait_for("the job to be queued again", lambda: cluster.job(job)["Restarts"] == "2")
    assert cluster.wait_until(job, "COMPLETED", "FAILED")["JobState"] == "COMPLETED"
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == reference
    said = log(tmp_path, job)
    assert "ended with code 143; queued again, 1 of 20" in said
    assert "ended with code 137; queued again, 2 of 20" in said
    assert "0: process 0 of 2: process 1 is gone" in said
