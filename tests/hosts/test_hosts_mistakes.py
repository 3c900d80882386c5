"""The real command, where the processes cannot meet: exit code 2, words, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from processes import free_port

MEETING = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID", "SLURM_JOB_ID")


def refused(folder: Path, *overrides: str) -> str:
    """What `fw train` says."""
    done = subprocess.run(
        [sys.executable, "-m", "framework", "train", "digits_mlp", f"run.dir={folder / 'run'}", *overrides],
        env={name: value for name, value in os.environ.items() if name not in MEETING} | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr
    assert not (folder / "run").exists()
    return done.stderr


def test_hosts_with_no_coordinator(tmp_path: Path) -> None:
    said = refused(tmp_path, "parallel.hosts=auto")
    assert "parallel.hosts: auto finds no coordinator" in said
    assert "JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES, JAX_PROCESS_ID" in said and "SLURM_PROCID" in said
    assert "came from: override parallel.hosts=auto" in said
    assert "fix:       fw launch --local 2 RECIPE" in said


def test_the_others_do_not_come(tmp_path: Path) -> None:
    port = free_port()
    hosts = f"parallel.hosts={{coordinator: 'localhost:{port}', processes: 3, process: 0}}"
    said = refused(tmp_path, hosts, "parallel.join_s=0.5")
    assert f"1 of 3 processes met at localhost:{port} within 0.5 s; missing: 1, 2" in said
    assert "fix:       start process 1 too, or where starting takes longer, parallel.join_s=1" in said


def test_the_coordinator_does_not_answer(tmp_path: Path) -> None:
    port = free_port()
    hosts = f"parallel.hosts={{coordinator: 'localhost:{port}', processes: 3, process: 2}}"
    said = refused(tmp_path, hosts, "parallel.join_s=0.5")
    assert f"nothing answers at localhost:{port} within 0.5 s" in said
