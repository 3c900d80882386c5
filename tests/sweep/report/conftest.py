"""A real sweep to report on, run once: four learning rates, three seeds, and one rate at which the loss becomes NaN."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import framework as fw

RECIPE = Path(__file__).parent.parent / "recipes" / "small_mlp.yaml"


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> fw.SweepResult:
    """The sweep as it was left by the engine. Not to be changed."""
    folder = tmp_path_factory.mktemp("swept") / "sweep"
    return fw.sweep(
        str(RECIPE),
        {"optimizer.learning_rate": [1e-3, 1e-2, 1e-1, 1e30], "seed": range(3)},
        objective=["valid.loss", "test.accuracy"],
        direction=["minimize", "maximize"],
        directory=folder,
    )


@pytest.fixture
def copied(swept: fw.SweepResult, tmp_path: Path) -> Path:
    """A copy of the sweep's folder, elsewhere."""
    return shutil.copytree(swept.folder, tmp_path / "moved")
