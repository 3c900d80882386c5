"""A folder to stand in with a recipe that trains in a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweeping_recipe import TINY


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of the recipe, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY, encoding="utf-8")
    return "./tiny.yaml"
