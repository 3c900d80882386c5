"""`fw import` as it is typed: it prints or writes, and refuses in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from framework.cli.main import main

HERE = Path(__file__).parent


def test_it_writes_the_file_that_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["import", "caffe", str(HERE / "lenet.prototxt"), "--input", "data=1,28,28"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert main([*words, "-o", str(tmp_path / "net.yaml")]) == 0
    assert (tmp_path / "net.yaml").read_text() == printed
    assert list(yaml.safe_load(printed)) == ["layers"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["caffee", "net.prototxt"], "fix:       caffe"),
        (["caffe", "nowhere.prototxt"], "nowhere.prototxt"),
        (["keras", "model.json", "--phase", "test"], "--phase for caffe alone"),
        (["caffe", "net.prototxt", "--input", "data"], "--input data=3,227,227"),
    ],
)
def test_a_mistake_in_the_words_ends_in_2(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", *words]) == 2
    assert told in capsys.readouterr().err


def test_nothing_is_written_where_something_cannot_be_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "net.yaml"
    assert main(["import", "caffe", str(HERE / "lenet.prototxt"), "-o", str(target)]) == 2
    assert "lenet.prototxt has 1 problem" in capsys.readouterr().err
    assert not target.exists()
