"""A folder to stand in, a small valid recipe to spoil, and the problems that loading it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from framework.config.compose import load
from framework.core.errors import ConfigError, Problem

RECIPE = """\
# A small recipe.
defaults:
  - override /data: digits
  - override /losses: classification
  - override /optimizer: adamw

network:
  layers:
    flat: flatten
    logits: {dense: {features: "${data.classes}"}}

trainer:
  epochs: 2
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """Write a file below the working directory, by default the small recipe with a text put after it."""

    def write_file(text: str = "", name: str = "mine.yaml", *, whole: bool = False) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if whole else RECIPE + text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def problems(write: Callable[..., Path]) -> Callable[..., tuple[Problem, ...]]:
    """Load ./mine.yaml (the small recipe, if nothing was written) and return what is wrong with it."""

    def load_problems(overrides: Sequence[str] = (), **settings: Sequence[str]) -> tuple[Problem, ...]:
        if not Path("mine.yaml").exists():
            write()
        with pytest.raises(ConfigError) as caught:
            load("./mine.yaml", overrides, **settings)  # type: ignore[arg-type]
        return caught.value.problems

    return load_problems
