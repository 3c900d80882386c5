"""What somebody meets who comes from another library, or whose machine is not in order."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_command import ROOT, Command

from framework.core.errors import DataError, RunError
from framework.data.tables.csv_file import read_csv


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (("new", "mine"), "fw init mine"),
        (("fit", "wine_mlp"), "fw train wine_mlp"),
        (("tune",), "fw sweep"),
        (("diff", "a", "b"), "fw compare a b"),
    ],
)
def test_a_verb_of_another_command_is_answered_with_ours(words: tuple[str, ...], fix: str, call: Command) -> None:
    done = call(*words)
    assert done.code == 2
    assert f"fw: unknown verb '{words[0]}'" in done.err
    assert re.search(rf"fix: +{re.escape(fix)}$", done.err, re.MULTILINE)


@pytest.mark.parametrize(("words", "fix"), [(("--lr=3",), "lr=3"), (("--epochs", "3"), "epochs=VALUE")])
def test_a_setting_with_dashes_is_one_mistake(words: tuple[str, ...], fix: str, call: Command) -> None:
    done = call("train", "wine_mlp", *words)
    assert done.code == 2
    assert done.err.count("fw train: ") == 1
    assert f"settings have no dashes: {fix}\n" in done.err


def test_overrides_are_not_missing_where_there_are_none(call: Command) -> None:
    assert "fw train: missing: RECIPE\n" in call("train").err


def test_row_numbers_that_pandas_wrote_are_refused_with_the_way_out(call: Command, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(",a,kind\n0,1.5,x\n1,2.5,y\n")
    done = call("check", "wine_mlp", "data=csv", "data.path=table.csv", "data.target=kind", "data.classes=2")
    assert done.code == 2
    assert "data.path: the header of 'table.csv' has no name for column 1" in done.err
    assert "row numbers that pandas writes" in done.err
    assert "frame.to_csv('table.csv', index=False)" in done.err


@pytest.mark.parametrize(("sign", "typed"), [(";", ";"), ("\t", "\\t")])
def test_a_table_with_another_delimiter_is_told_what_to_type(
    sign: str, typed: str, call: Command, tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_text("a,kind\n1.5,0\n2.5,1\n".replace(",", sign))
    words = ("wine_mlp", "data=csv", "data.path=table.csv", "data.target=kind", "data.classes=2")
    done = call("check", *words)
    assert done.code == 2
    assert "data.delimiter: the header of 'table.csv' is one column" in done.err
    assert f"fix:       \"data.delimiter='{typed}'\"" in done.err
    assert call("check", *words, f"data.delimiter='{typed}'").code == 0


def test_decimal_commas_are_told(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a;kind\n1,5;0\n2,5;1\n")
    with pytest.raises(DataError, match=r"column 'a' holds '1,5'.*\n.*decimal point, not a comma\n.*decimal=','"):
        read_csv(tmp_path / "table.csv", ";").numbers("a")


@pytest.mark.parametrize(("files", "holds"), [((), "and no image"), (("a.png", "b.jpg"), "but images: a.png, b.jpg")])
def test_images_without_a_folder_for_each_class_are_told_where_to_go(
    files: tuple[str, ...], holds: str, call: Command, tmp_path: Path
) -> None:
    (tmp_path / "pets").mkdir()
    for name in files:
        (tmp_path / "pets" / name).touch()
    done = call("check", "digits_cnn", "data=images", "data.path=pets", "data.classes=2")
    assert done.code == 2
    assert f"data.path: 'pets' holds no folder, {holds}\n" in done.err
    assert "fix:       mkdir pets/CLASS" in done.err


def test_a_path_that_was_forgotten_is_asked_for(call: Command) -> None:
    done = call("check", "wine_mlp", "data=csv", "data.path=", "data.target=kind", "data.classes=2")
    assert done.code == 2
    assert "data.path: no file is named" in done.err
    assert "data.path=PATH" in done.err


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_run_directory_that_is_a_file_is_told(place: str, call: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    done = call("train", "wine_mlp", f"run.dir={place}")
    assert done.code == 2
    assert "run.dir: taken is a file" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_full_disk_is_no_defect_of_ours() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "framework", "list", "layers"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert "No space left on device\n  fix:       free some space" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_picture_on_a_full_disk_is_told_with_its_path(tmp_path: Path) -> None:
    figure = pytest.importorskip("matplotlib.figure", reason="pictures need matplotlib")
    from framework.report.figures import save

    (tmp_path / "curves.png").symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"curves\.png: could not be written: No space left on device"):
        save(figure.Figure(), tmp_path / "curves.png")
