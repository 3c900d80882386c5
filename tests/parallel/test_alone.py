"""On one device a layout over devices is the program of one device: nothing is exchanged with nobody."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from layouts import LAYOUTS

from framework.config.compose import load
from framework.inspect.plan.collectives import KINDS
from framework.inspect.plan.compiling import prepare
from framework.inspect.plan.program import Program

RECIPES = Path(__file__).parent / "recipes"


@cache
def instructions(model: str, *layout: str) -> Counter[str]:
    """How many instructions of each kind a step has."""
    loaded = load(str(RECIPES / f"{model}.yaml"), layout)
    program = Program.parse(prepare(loaded, hbm=None).compile().as_text())
    return Counter(each.instruction.opcode for each in program.executed())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_a_step_on_one_device_has_no_collectives(model: str, layout: str) -> None:
    assert not set(instructions(model, f"parallel={layout}", "parallel.devices=1")) & set(KINDS)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "pmap"])
def test_what_xla_divides_is_plain_jit_on_one_device(layout: str) -> None:
    assert instructions("mlp", f"parallel={layout}", "parallel.devices=1") == instructions("mlp", "parallel=single")
