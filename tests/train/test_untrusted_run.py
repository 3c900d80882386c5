"""A run directory from somebody else is data: reading it unpickles nothing and executes nothing that it names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import framework as fw

SMALL = ["network.layers.hidden1.dense.features=4", "network.layers.hidden2.dense.features=4", "trainer.epochs=1"]
WATCHED = """
import sys
def watch(event, arguments):
    if event in ("pickle.find_class", "os.system", "subprocess.Popen", "exec_by_name"):
        print("EVENT", event, arguments, flush=True)
sys.addaudithook(watch)
from framework.cli.main import main
sys.exit(main(["evaluate", sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    fw.load("digits_mlp", [*SMALL, "report.tensorboard=false"]).train(path)
    return path


def test_evaluating_a_run_unpickles_nothing_and_starts_nothing(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert "EVENT" not in done.stdout


def test_code_named_in_a_run_is_refused_before_it_is_imported(folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    (tmp_path / "planted.py").write_text(f"open({str(marker)!r}, 'w')\n")
    config = folder / "config.yaml"
    honest = config.read_text()
    try:
        config.write_text(honest.replace("flat: flatten", "flat: {module: {_target_: planted.Layer}}"))
        refused = subprocess.run(
            [sys.executable, "-m", "framework", "evaluate", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    finally:
        config.write_text(honest)
    assert refused.returncode == 2
    assert "planted.Layer" in refused.stderr and "--trust planted" in refused.stderr
    assert not marker.exists()
