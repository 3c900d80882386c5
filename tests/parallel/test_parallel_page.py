"""docs/parallel.md is true: its commands compose, and print what the page shows of them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from framework.cli.main import main
from framework.config.compose import load

PAGE = (Path(__file__).parent.parent.parent / "docs" / "parallel.md").read_text(encoding="utf-8")
SHOWN = [block.split("\n", 1) for block in re.findall(r"^```console\n\$ (fw .*?)^```$", PAGE, re.M | re.S)]
TYPED = re.findall(r"^    fw train (.*)$", PAGE, re.M)


@pytest.mark.parametrize(("command", "lines"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_command_prints_the_lines_that_are_shown(
    command: str,
    lines: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(shlex.split(command)[1:])
    told = capsys.readouterr()
    assert code == (2 if "has 1 problem" in lines else 0)
    printed = iter((told.err if code else told.out).splitlines())
    # In this order, with others between them.
    assert [line for line in lines.splitlines() if line not in printed] == []


def test_there_are_commands_and_all_of_them_compose() -> None:
    assert len(TYPED) >= 5 and len(SHOWN) >= 7
    for command in TYPED:
        load((words := shlex.split(command))[0], words[1:])
