"""On one device a layout over devices is the program of one device: nothing is exchanged with nobody."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from layouts import LAYOUTS

from framework.config.compose import load
from framework.inspect.plan.collectives import KINDS
from framework.inspect.plan.compiling import prepare
from framework.inspect.plan.program import Program
from framework.parallel.mapped import AXIS, layout
from framework.parallel.strategy import SHARED, Rows

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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_plain_jit_on_one_device(layout: str) -> None:
    assert instructions("mlp", f"parallel={layout}", "parallel.devices=1") == instructions("mlp", "parallel=single")


def test_one_device_still_has_the_axis_that_pmap_names() -> None:
    strategy = layout(jax.devices()[:1], {"step": jax.ShapeDtypeStruct((), jnp.int32)})
    program = strategy.compile(
        lambda rows: {
            "sum": jax.lax.psum(rows, AXIS),
            "place": jax.lax.axis_index(AXIS),
            "all": jax.lax.all_gather(rows, AXIS),
        },
        takes=(Rows(0),),
        gives=SHARED,
    )
    told = program(jnp.arange(3.0))
    assert (strategy.name, strategy.batch_multiple) == ("pmap", 1)
    assert (told["sum"].tolist(), int(told["place"]), told["all"].tolist()) == ([0, 1, 2], 0, [[0, 1, 2]])
