"""`fw eject` as it is typed: it writes two files or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.cli.main import main


def test_the_script_and_its_data_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "train.py"
    assert main(["eject", "digits_mlp", "trainer.epochs=1", "-o", str(target)]) == 0
    assert capsys.readouterr().out == f"wrote {target} and {tmp_path / 'train.npz'}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"train.py", "train.npz"}
    compile(target.read_text(), "train.py", "exec")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["digits_mlp"], "fix:       -o train.py"),
        (["digits_mlp", "-o", "train.txt"], "train.txt does not end in .py"),
        (["digits_mlp", "parallel=data", "-o", "train.py"], "fix:       parallel=single"),
    ],
)
def test_a_mistake_ends_in_2_and_writes_nothing(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["eject", *words]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
