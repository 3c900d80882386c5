"""A folder as the input of a network that takes no images: the file that was meant is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework.core.errors import ConfigError
from framework.inspect.prediction import predict_file

TABLE = {"columns": ["alcohol", "ash"], "arrays": {"features": {"shape": [2]}, "label": {"shape": []}}}
TEXT = {"arrays": {"tokens": {"shape": [8]}, "targets": {"shape": [8]}}}


def refused(tmp_path: Path, facts: dict[str, Any], *files: str) -> str:
    run, folder = tmp_path / "run", tmp_path / "new wines"
    for place in (run, folder):
        place.mkdir()
    (run / "config.yaml").write_text("name: made\n")
    (run / "data.json").write_text(json.dumps(facts))
    for name in files:
        (folder / name).touch()
    with pytest.raises(ConfigError) as refusal:
        predict_file(run, folder)
    return str(refusal.value).replace(str(folder), "FOLDER")


def test_the_table_in_the_folder_is_the_fix(tmp_path: Path) -> None:
    assert refused(tmp_path, TABLE, "a.npz", "b.csv", "c.csv", "notes.md").endswith(
        "--input: 'FOLDER' is a folder, which only a network of images takes\n"
        "  expected:  a file (.csv, .parquet, .tsv, .npz) with the columns alcohol, ash\n"
        "  fix:       --input 'FOLDER/b.csv'"
    )


def test_where_no_file_fits_the_fix_shows_the_ending(tmp_path: Path) -> None:
    told = refused(tmp_path, TEXT, "notes.md")
    assert "  expected:  a file (.npz, .txt) with tokens\n" in told
    assert told.endswith("  fix:       --input 'FOLDER/FILE.npz'")
