"""A study in PostgreSQL: a cluster of its own, on the loopback interface."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from framework.core.errors import ConfigError
from framework.sweep.driver import plan, sweep
from framework.sweep.prepared import Request
from framework.sweep.search import study

AXIS = "optimizer.learning_rate=log(interval(1e-4,1e-1))"
MISSING = shutil.which("initdb") is None or find_spec("psycopg") is None
pytestmark = pytest.mark.skipif(MISSING, reason="needs PostgreSQL's initdb, and psycopg")


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a database that is there for one test."""
    folder = Path(tempfile.mkdtemp(prefix="fw-postgres-"))
    # PostgreSQL refuses to run as root.
    own: dict[str, Any] = {"user": "nobody"} if os.getuid() == 0 else {}
    if own:
        shutil.chown(folder, "nobody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
    start = ["pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start"]
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **own}
    subprocess.run(["initdb", "-D", data, "-U", "fw", "-A", "trust"], **quiet)
    subprocess.run(start, **quiet)
    try:
        yield f"postgresql://fw@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(["pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder)


def test_two_folders_work_on_one_study_by_its_name(tiny: str, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "HEARTBEAT_S", 1)
    words = (
        AXIS,
        "sweep.sampler=tpe",
        "sweep.study=ours",
        f"sweep.storage={database}",
        "checkpoint=none",
        "run.stages=[train]",
    )
    one = sweep(Request(tiny, (*words, "sweep.trials=3", "sweep.dir=one")))
    two = sweep(Request(tiny, (*words, "sweep.trials=5", "sweep.dir=two")))
    assert ([row.status for row in one.rows], [row.status for row in two.rows]) == (["done"] * 3, ["done"] * 2)
    assert len({row.overrides for row in (*one.rows, *two.rows)}) == 5
    assert not Path("one/study.sqlite").exists()
    again = sweep(Request(tiny, (*words, "sweep.trials=5", "sweep.dir=one")))
    assert again.rows == one.rows


def test_a_database_that_does_not_answer_is_told_before_anything_runs(tiny: str, database: str) -> None:
    away = database.replace("/postgres", "/elsewhere")
    with pytest.raises(ConfigError) as told:
        plan(Request(tiny, (AXIS, "sweep.sampler=tpe", "sweep.trials=3", f"sweep.storage={away}", "sweep.dir=here")))
    assert 'database "elsewhere" does not exist' in str(told.value)
    assert "came from: override sweep.storage=" in str(told.value)
    assert not Path("here").exists()
