"""On one device a layout over devices is the program of one device: nothing is exchanged with nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import LAYOUTS

from framework.config.compose import load
from framework.inspect.plan.collectives import KINDS
from framework.inspect.plan.compiling import prepare
from framework.inspect.plan.program import Program

RECIPES = Path(__file__).parent / "recipes"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_a_step_on_one_device_has_no_collectives(model: str, layout: str) -> None:
    loaded = load(str(RECIPES / f"{model}.yaml"), [f"parallel={layout}", "parallel.devices=1"])
    program = Program.parse(prepare(loaded, hbm=None).compile().as_text())
    assert [each.instruction.name for each in program.executed() if each.instruction.opcode in KINDS] == []
