"""The batch scripts of `fw launch --slurm`, beside golden ones that people have read."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from launch_command import Launch

from framework.config.compose import load
from framework.launch.job import Job
from framework.launch.settings import Slurm
from framework.launch.slurm import render

GOLDEN = Path(__file__).parent / "golden"
RUN = PurePosixPath("/data/lab/runs/gpt")

CASES: dict[str, tuple[int, tuple[str, ...], dict[str, Any]]] = {
    "one_process": (1, (), {}),
    "two_nodes_of_eight_gpus": (
        2,
        ("parallel=fsdp", "data.batch_size=64"),
        {
            "name": "gpt",
            "partition": "gpu",
            "account": "lab",
            "qos": "long",
            "constraint": "h200",
            "time": "1-12:00:00",
            "gpus_per_node": 8,
            "cpus_per_task": 64,
            "mem": "1000G",
            "setup": ["module load cuda/12", "source /data/lab/venv/bin/activate"],
            "directives": ["--exclusive", "--mail-type=END"],
        },
    ),
    "a_process_for_each_gpu": (8, (), {"tasks_per_node": 4, "gpus_per_node": 4, "restarts": 0}),
    "two_gpus_for_each_process": (4, (), {"tasks_per_node": 2, "gpus_per_node": 4, "notice_s": 300}),
}


def script(case: str) -> str:
    processes, overrides, settings = CASES[case]
    loaded = load("digits_mlp", ["trainer.epochs=3", *overrides])
    options = ("--trust", "my_layers")
    job = Job(loaded, "digits_mlp", "run", processes, RUN, options)
    return render(job, Slurm.model_validate({"python": "python3", **settings}), Path("/data/lab"))


@pytest.mark.parametrize("case", CASES)
def test_the_script_is_the_golden_one(case: str) -> None:
    assert script(case) == (GOLDEN / f"{case}.sbatch").read_text()


@pytest.mark.parametrize("case", CASES)
def test_the_script_is_shell_that_parses(case: str) -> None:
    assert subprocess.run(["bash", "-n"], input=script(case), text=True, capture_output=True).stderr == ""


FAKE = {
    "srun": 'printf "%s\\n" "$@" > srun.words; if [ "$1" != --label ]; then exit "$CODE"; fi\n'
    'while [ "$1" != bash ]; do shift; done; python3() { env > rank.variables; exit "$CODE"; }; export -f python3\n'
    'shift; bash "${@/exec /}"',
    "scontrol": 'if [ "$1" = show ]; then echo node7; echo node8; else echo "$@" > requeued; fi',
}


def play(folder: Path, case: str, code: int, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script with programs in place of SLURM's own that note what they are told; the run ends with `code`."""
    for name, text in FAKE.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    text = "\n".join(line for line in script(case).splitlines() if not line.startswith(("module", "source")))
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CODE": str(code), "SLURM_JOB_ID": "4100"}
    environment |= {"SLURM_JOB_NODELIST": "node[7-8]", "SLURM_PROCID": "3", "SLURM_LOCALID": "1", **variables}
    return subprocess.run(["bash", "-c", text], cwd=folder, env=environment, text=True, capture_output=True)


@pytest.mark.parametrize(("code", "queued"), [(0, False), (1, False), (2, False), (75, True), (137, True), (143, True)])
def test_a_job_is_queued_again_after_a_signal_and_after_a_lost_process(code: int, queued: bool, tmp_path: Path) -> None:
    done = play(tmp_path, "one_process", code)
    assert done.returncode == code
    assert (tmp_path / "requeued").exists() is queued
    if queued:
        assert (tmp_path / "requeued").read_text() == "requeue 4100\n"
        assert f"ended with code {code}; queued again, 1 of 20" in done.stdout


def test_a_job_is_queued_again_so_often_and_no_more(tmp_path: Path) -> None:
    assert "20 of 20" in play(tmp_path, "one_process", 143, SLURM_RESTART_COUNT="19").stdout
    (tmp_path / "requeued").unlink()
    assert play(tmp_path, "one_process", 143, SLURM_RESTART_COUNT="20").returncode == 143
    assert not (tmp_path / "requeued").exists()
    play(tmp_path, "a_process_for_each_gpu", 143)
    assert not (tmp_path / "requeued").exists()


def test_each_process_is_told_where_all_meet_and_which_it_is_and_its_gpus(tmp_path: Path) -> None:
    play(tmp_path, "two_gpus_for_each_process", 0)
    told = dict(line.split("=", 1) for line in (tmp_path / "rank.variables").read_text().splitlines() if "=" in line)
    assert {name: told[name] for name in told if name.startswith("JAX_") and name in NAMES} == {
        "JAX_COORDINATOR_ADDRESS": "node7:61444",
        "JAX_NUM_PROCESSES": "4",
        "JAX_PROCESS_ID": "3",
        "JAX_LOCAL_DEVICE_IDS": "2,3",
    }


NAMES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID", "JAX_LOCAL_DEVICE_IDS")


def test_a_dry_run_prints_the_script_and_writes_nothing(launch: Launch, tmp_path: Path) -> None:
    said = launch("--slurm", "2", "digits_mlp", "run.dir=mine", "--dry-run", "--partition", "cpu")
    assert (said.code, said.err) == (0, "")
    assert "#SBATCH --partition=cpu\n" in said.out
    assert f"run.dir={tmp_path}/mine\n" in said.out
    assert list(tmp_path.iterdir()) == []


def test_without_sbatch_the_script_is_written_and_its_place_told(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = launch("--slurm", "2", "digits_mlp", "run.dir=mine")
    path = tmp_path / "mine" / ".launch" / "job.sbatch"
    assert said.code == 0
    assert f"sbatch is not on this machine. Where it is: sbatch {path}" in said.out
    assert path.read_text().startswith("#!/bin/bash\n# recipe digits_mlp, 2 processes.")


def test_what_sbatch_refuses_is_told(launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: invalid partition specified: gpu' >&2\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said = launch("--slurm", "2", "digits_mlp", "--partition", "gpu")
    assert said.code == 2
    assert re.search(r"sbatch: refused .*job.sbatch: sbatch: error: invalid partition specified: gpu", said.err)


def test_settings_of_the_team_stand_below_the_options(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("slurm: {partition: gpu, account: lab, time: '60'}\nk8s: {image: i}\n")
    said = launch("--slurm", "2", "digits_mlp", "--settings", "cluster.yaml", "--time", "2:00:00", "--dry-run")
    lines = [line.partition("--")[2] for line in said.out.splitlines() if line.startswith("#SBATCH")]
    assert {"partition=gpu", "account=lab", "time=2:00:00"} <= set(lines)


def test_without_a_run_directory_a_new_one_is_chosen_once(launch: Launch, tmp_path: Path) -> None:
    said = launch("--slurm", "2", "digits_mlp", "--dry-run")
    (folder,) = re.findall(r"run\.dir=(\S+)", said.out)
    assert re.fullmatch(rf"{tmp_path}/runs/digits_mlp/\d{{4}}-\d\d-\d\d_\d\d-\d\d-\d\d", folder)
    assert f"--output={folder}/.launch/slurm-%j.out" in said.out
