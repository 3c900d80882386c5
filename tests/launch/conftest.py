"""The command in this process, and the tests that drive a real SLURM left to `make test-slurm`."""

from __future__ import annotations

from pathlib import Path

import pytest
from launch_command import Launch, Said

from framework.cli.main import main


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Launch:
    """Run `fw launch` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*words: str) -> Said:
        capsys.readouterr()
        code = main(["launch", *words])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect them unless they are asked for, whichever other marks are."""
    if "slurm" in str(config.getoption("markexpr")):
        return
    left_out = [item for item in items if item.get_closest_marker("slurm")]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
