"""Which members share a program: they differ in traced values alone, wherever those are declared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from framework.sweep.driver import Plan, plan
from framework.sweep.prepared import Request


def planned(recipe: str, *overrides: str) -> Plan:
    return plan(Request(recipe, overrides))


def shares(found: Plan) -> list[list[int]]:
    return [[member.number for member in group.members] for group in found.groups]


ONE_PROGRAM = [
    "seed=0,1",
    "optimizer.learning_rate=1e-3,1e-2",
    "optimizer.weight_decay=0.1,0.2",
    "optimizer.clip_norm=0.5,1",
    "network.args.dropout=0.1,0.5",
    "losses.cross_entropy.smoothing=0.1,0.2",
    "losses.cross_entropy.weight=1,2",
    "trainer.ema_decay=0.9,0.99",
    "name=one,other",
]


@pytest.mark.parametrize("axis", ONE_PROGRAM)
def test_a_traced_value_makes_no_program_of_its_own(tiny: str, axis: str) -> None:
    found = planned(tiny, axis)
    assert shares(found) == [[0, 1]]
    assert found.traced[axis.partition("=")[0]] is True


SEVERAL = [
    "network.args.width=4,8",
    "data.batch_size=16,32",
    "trainer.steps=4,6",
    "optimizer=adamw,sgd",
    "network.layers.act=relu,tanh",
    "losses.cross_entropy.class_weights=null,[1,1,2]",
]


@pytest.mark.parametrize("axis", SEVERAL)
def test_structure_makes_a_program_for_each_value(tiny: str, axis: str) -> None:
    found = planned(tiny, axis)
    assert shares(found) == [[0], [1]]
    assert found.traced[axis.partition("=")[0]] is False


@pytest.mark.parametrize(
    "axis",
    [
        "network.args.dropout=0,0.1,0.2",
        "losses.cross_entropy.smoothing=0.0,0.1,0.2",
        "optimizer.clip_norm=null,1,2",
        "trainer.ema_decay=null,0.5,0.9",
    ],
)
def test_a_value_that_switches_a_mechanism_off_is_structure(tiny: str, axis: str) -> None:
    found = planned(tiny, axis)
    assert shares(found) == [[0], [1, 2]]
    assert found.groups[1].traced == (axis.partition("=")[0],)


def test_groups_tell_what_they_differ_in(tiny: str) -> None:
    found = planned(tiny, "seed=0,1", "network.args.width=4,8", "optimizer.learning_rate=1e-3,1e-2")
    assert shares(found) == [[0, 1, 4, 5], [2, 3, 6, 7]]
    assert [group.structural for group in found.groups] == [{"network.args.width": 4}, {"network.args.width": 8}]
    assert {group.traced for group in found.groups} == {("seed", "optimizer.learning_rate")}


def test_a_traced_value_that_a_formula_reads_is_traced_still(tiny: str) -> None:
    path = Path(tiny)
    path.write_text(path.read_text(encoding="utf-8").replace('rate: "=dropout"', 'rate: "=dropout / 2"'), "utf-8")
    assert shares(planned(tiny, "network.args.dropout=0.1,0.5")) == [[0, 1]]


def test_a_value_that_decides_structure_too_is_structure(tiny: str) -> None:
    path = Path(tiny)
    text = path.read_text(encoding="utf-8").replace("width: 8, dropout: 0.1", "width: 8, dropout: 0.5")
    path.write_text(text.replace('features: "=width"', 'features: "=width + int(dropout * 16)"'), encoding="utf-8")
    assert shares(planned(tiny, "network.args.dropout=0.25,0.5")) == [[0], [1]]


def test_an_interpolated_value_follows_what_it_reads(tiny: str) -> None:
    path = Path(tiny)
    path.write_text(path.read_text("utf-8") + "\noptimizer: {weight_decay: '${optimizer.learning_rate}'}\n", "utf-8")
    (group,) = planned(tiny, "optimizer.learning_rate=0.1,0.2").groups
    assert [member.loaded.config.optimizer.weight_decay for member in group.members] == [0.1, 0.2]  # type: ignore[union-attr]
    assert group.traced == ("optimizer.learning_rate", "optimizer.weight_decay")


def test_a_plan_needs_no_jax_and_writes_nothing(tiny: str) -> None:
    code = (
        "import sys; from framework.sweep.driver import plan; from framework.sweep.prepared import Request\n"
        f"assert len(plan(Request({tiny!r}, ('seed=range(3)',))).groups) == 1\n"
        "assert not {'jax', 'flax', 'optax', 'sklearn'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [path.name for path in Path().iterdir()] == ["tiny.yaml"]
