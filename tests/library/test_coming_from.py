"""The page for those who come from another library: its keys are there, and its code runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from framework.config.schema.root import Config
from framework.config.validation.shapes import NAME, all_keys

PAGE = (Path(__file__).parents[2] / "docs" / "coming_from.md").read_text(encoding="utf-8")
SECTIONS = "data|losses|metrics|optimizer|trainer|checkpoint|report|parallel|run|sweep"


def test_every_key_on_the_page_is_a_key_of_recipes() -> None:
    known = {key for key, _ in all_keys(Config)}
    told = {key.replace(".NAME", f".{NAME}") for key in re.findall(rf"`((?:{SECTIONS})\.[A-Za-z_.]+)", PAGE)}
    assert len(told) > 15
    assert told - {"metrics.jsonl"} <= known


def test_a_loop_of_ones_own_over_the_step_learns(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code.replace("range(200)", "range(51)"), "coming_from.md", "exec"), {})
    losses = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 2
    assert losses[1] < losses[0]
