"""The page on code of one's own is true: its module and its recipes are what they are said to be."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import framework as fw

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
OTHERS = [block for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if block[0] != "#"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, from where they are found."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in FILES:
        monkeypatch.delitem(sys.modules, Path(name).stem, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_recipe_of_the_page_fits_together_and_is_imported_where_it_is_trusted(folder: Path) -> None:
    assert set(FILES) == {"my_code.py", "rings.yaml", "my_rows.py"}
    with pytest.raises(fw.ConfigError, match=r"'my_code.rings' is not trusted"):
        fw.load(folder / "rings.yaml")
    experiment = fw.load(folder / "rings.yaml", trust=["my_code"])
    experiment.check()
    assert {name: len(split) for name, split in experiment.data.splits.items()} == {
        "train": 480,
        "valid": 60,
        "test": 60,
    }


def test_a_loss_of_another_library_and_rows_of_a_file_fit(folder: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    rows[:, -1] = rows[:, 0] > 0
    rows.tofile(folder / "rows.bin")
    data = "data: {_target_: my_rows.Rows, path: rows.bin, width: 3, batch_size: 8}\n"
    network = "network: {layers: {logits: {dense: {features: 1}}}}\ntrainer: {steps: 1}\n"
    (folder / "rows.yaml").write_text(data + network + OTHERS[0])
    experiment = fw.load("./rows.yaml", trust=["my_rows", "optax"])
    experiment.check()
    held = experiment.data.arrays("test")
    assert {name: array.shape for name, array in held.items()} == {"features": (3, 3), "target": (3, 1)}
