"""docs/command_line.md is true: its commands print what it shows, and its tables are those of the code."""

from __future__ import annotations

import re
import shlex

import pytest
from cli_command import ROOT, Command

from framework.cli.verbs import VERBS

PAGE = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SESSIONS = [part.strip("\n") for block in CONSOLE for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.partition("\n")[0])
def test_a_command_prints_the_lines_below_it(session: str, call: Command) -> None:
    command, *lines = session.splitlines()
    done = call(*shlex.split(command)[1:])
    assert done.code == (2 if any(line.startswith("  fix:") for line in lines) else 0)
    assert [line for line in lines if line not in (done.out + done.err).splitlines()] == []


def test_the_page_has_a_line_for_every_verb() -> None:
    assert re.findall(r"^\| `fw (\w+)", PAGE, re.MULTILINE) == list(VERBS)


def test_every_option_on_the_page_is_an_option_of_some_verb(call: Command) -> None:
    known = set().union(*(re.findall(r"--[a-z-]+", call(verb, "--help").out) for verb in VERBS))
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) <= known | {"--help"}
