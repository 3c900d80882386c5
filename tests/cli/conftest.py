"""The command as a user types it: a subprocess for what only a process shows, `main` for breadth."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_command import ROOT, Command, Done


@pytest.fixture
def fw(tmp_path: Path) -> Command:
    """Run `python -m framework` in an empty folder, without a terminal."""

    def run(*words: str, cwd: Path = tmp_path, columns: int = 100, **variables: str) -> Done:
        environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
        environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": str(columns)} | variables
        done = subprocess.run(
            [sys.executable, "-m", "framework", *words], cwd=cwd, env=environment, capture_output=True, text=True
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `main` in this process, in an empty folder."""
    from framework.cli.main import main

    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*words: str, cwd: Path = tmp_path) -> Done:
        monkeypatch.chdir(cwd)
        capsys.readouterr()
        code = main(words)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run
