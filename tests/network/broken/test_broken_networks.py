"""Broken networks, by the stair that users take: the recipe's file is loaded and checked, and what is told is read.

Each message names the node, the file and line, the shapes and who gave them, and the fix. Where the fix is an override,
it is applied too.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from broken_declarations import DECLARATIONS
from broken_network import Broken
from broken_shapes import SHAPES
from suspicious_networks import SUSPICIOUS

from framework.cli.main import main
from framework.config.compose import load
from framework.core.errors import ConfigError, Problem
from framework.inspect.checking import check
from framework.train.setup import Setup

BROKEN = [*DECLARATIONS, *SHAPES]
OVERRIDE = re.compile(r"[+~]?network\.[\w.]+(=(?:(?!\.\.\.|, or ).)+)?")
"""One that can be typed as it stands."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recipe is a file of the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(case: Broken, *overrides: str) -> tuple[Problem, ...]:
    Path("mine.yaml").write_text(case.recipe, encoding="utf-8")
    try:
        Setup(load("./mine.yaml", overrides)).check()
    except ConfigError as error:
        return error.problems
    return ()


def overrides_of(fix: str) -> list[str]:
    """The overrides that a fix consists of; none where it is a sentence."""
    parts = re.split(r" (?=[+~]?network\.)", fix)
    return parts if all(OVERRIDE.fullmatch(part) for part in parts) else []


@pytest.mark.parametrize("case", BROKEN, ids=[case.name for case in BROKEN])
def test_the_mistake_is_told_once_by_node_line_shapes_givers_and_fix(case: Broken) -> None:
    told = problems(case)
    assert len(told) == 1, "\n".join(map(str, told))
    (problem,) = told
    assert problem.key == case.key
    assert problem.origin == f"mine.yaml:{case.line}"
    assert case.found in problem.found
    assert case.expected in (problem.expected or "")
    assert case.fix in (problem.fix or "")


MENDED = [case for case in BROKEN if overrides_of(case.fix)]


@pytest.mark.parametrize("case", MENDED, ids=[case.name for case in MENDED])
def test_the_override_that_is_told_mends_it(case: Broken) -> None:
    left = problems(case, *overrides_of(case.fix))
    assert not left, "\n".join(map(str, left))


@pytest.mark.parametrize("case", SUSPICIOUS, ids=[case.name for case in SUSPICIOUS])
def test_a_warning_tells_the_node_the_line_and_the_fix(case: Broken) -> None:
    Path("mine.yaml").write_text(case.recipe, encoding="utf-8")
    (warning,) = check(load("./mine.yaml")).warnings
    assert warning == f"{case.key}: {case.found} (mine.yaml:{case.line})"


def test_the_command_prints_the_message_and_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    case = next(case for case in SHAPES if case.name == "residual whose branch changes shape")
    Path("mine.yaml").write_text(case.recipe, encoding="utf-8")
    assert main(["check", "./mine.yaml"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "recipe mine has 1 problem",
        f"{case.key}: {case.found}",
        f"  expected:  {case.expected}",
        f"  came from: mine.yaml:{case.line}",
        f"  fix:       {case.fix}",
    ]


def test_a_network_of_a_file_of_its_own_is_told_by_that_file(folder: Path) -> None:
    case = next(case for case in SHAPES if case.name == "mistake in a repeated block")
    head, _, network = case.recipe.partition("network:\n")
    (folder / "configs" / "network").mkdir(parents=True)
    (folder / "configs" / "network" / "tower.yaml").write_text(network.replace("\n  ", "\n")[2:], encoding="utf-8")
    Path("mine.yaml").write_text(head.replace("trainer:", "  - override /network: tower\ntrainer:"), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        Setup(load("./mine.yaml")).check()
    (problem,) = raised.value.problems
    assert problem.key == case.key
    assert problem.origin == f"configs/network/tower.yaml:{case.line - head.count(chr(10)) - 1}"
