"""Axes, grids, draws, zipped and conditional axes: which overrides a sweep tries, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.sweep.driver import register
from framework.sweep.prepared import Prepared, Request, prepare
from framework.sweep.space import Trial


def prepared(recipe: str, *overrides: str) -> Prepared:
    register()
    return prepare(Request(recipe, overrides))


def tried(recipe: str, *overrides: str, count: int = 100) -> list[list[str]]:
    found = prepared(recipe, *overrides)
    assert found.sampler is not None
    return found.sampler.ask(range(count))


def with_section(tiny: str, section: str) -> str:
    path = Path(tiny)
    path.write_text(path.read_text(encoding="utf-8") + f"\nsweep:\n{section}", encoding="utf-8")
    return tiny


def test_a_grid_varies_the_last_axis_fastest(tiny: str) -> None:
    assert tried(tiny, "seed=range(2)", "optimizer=adam,sgd") == [
        ["seed=0", "optimizer=adam"],
        ["seed=0", "optimizer=sgd"],
        ["seed=1", "optimizer=adam"],
        ["seed=1", "optimizer=sgd"],
    ]


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ("seed=3,1", ["3", "1"]),
        ("seed=choice(3,1)", ["3", "1"]),
        ("seed=range(1,7,3)", ["1", "4"]),
        ("optimizer=glob(ada*,exclude=adag*)", ["adafactor", "adam", "adamw"]),
        ("++optimizer.clip_norm=0.5,null", ["0.5", "null"]),
        ("optimizer.schedule.type=[a,b],{c:d}", ["[a,b]", "{c:d}"]),
    ],
)
def test_an_axis_has_the_values_of_hydras_grammar(tiny: str, axis: str, values: list[str]) -> None:
    (found,) = prepared(tiny, "trainer.epochs=null", axis.replace("optimizer.schedule.type", "data.split")).space.axes
    assert list(found.values or ()) == values


def test_a_members_overrides_keep_the_order_in_which_they_were_typed(tiny: str) -> None:
    found = prepared(tiny, "trainer.steps=2", "seed=1,2", "~metrics.confusion", "sweep.retries=1")
    assert found.overrides(["seed=2"]) == ["trainer.steps=2", "seed=2", "~metrics.confusion"]


def test_the_recipes_axes_come_first_and_the_command_line_wins(tiny: str) -> None:
    with_section(tiny, "  space: {optimizer.learning_rate: '1e-3,1e-2', seed: range(8), optimizer: {b1: [0.8, 0.9]}}\n")
    assert tried(tiny, "seed=7", "optimizer.b1=0.5,0.6") == [
        ["optimizer.learning_rate=0.001", "optimizer.b1=0.5"],
        ["optimizer.learning_rate=0.001", "optimizer.b1=0.6"],
        ["optimizer.learning_rate=0.01", "optimizer.b1=0.5"],
        ["optimizer.learning_rate=0.01", "optimizer.b1=0.6"],
    ]
    assert prepared(tiny, "seed=7").overrides(["optimizer.b1=0.8"])[-1] == "seed=7"


def test_values_of_the_recipe_may_be_of_any_kind(tiny: str) -> None:
    early = "trainer.early_stop: [null, {patience: 3}]"
    with_section(tiny, f"  space: {{{early}, name: ['a b', 'no', x], data.shuffle: true}}\n")
    stop, name, shuffle = prepared(tiny).space.axes
    assert stop.values == ("null", "{patience:3}")
    assert name.values == ("'a b'", "'no'", "x")
    assert shuffle.values == ("true",)


def test_zipped_axes_go_together(tiny: str) -> None:
    axes = ("optimizer.learning_rate=1e-3,1e-2", "seed=0,1", "network.args.width=4,8")
    assert tried(tiny, *axes, "sweep.zip=[[optimizer.learning_rate,network.args.width]]") == [
        ["optimizer.learning_rate=0.001", "seed=0", "network.args.width=4"],
        ["optimizer.learning_rate=0.001", "seed=1", "network.args.width=4"],
        ["optimizer.learning_rate=0.01", "seed=0", "network.args.width=8"],
        ["optimizer.learning_rate=0.01", "seed=1", "network.args.width=8"],
    ]


CONDITIONS = ["{optimizer.type: sgd}", "{optimizer: sgd}", "{optimizer.type: [sgd, lamb]}", "{optimizer: {type: sgd}}"]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_conditional_axis_exists_only_where_its_condition_holds(tiny: str, condition: str) -> None:
    with_section(tiny, f"  space: {{optimizer.momentum: {{values: [0.5, 0.9], when: {condition}}}}}\n")
    assert tried(tiny, "optimizer=adam,sgd") == [
        ["optimizer=adam"],
        ["optimizer.momentum=0.5", "optimizer=sgd"],
        ["optimizer.momentum=0.9", "optimizer=sgd"],
    ]


def test_a_condition_may_read_an_axis_that_is_itself_conditional(tiny: str) -> None:
    with_section(
        tiny,
        "  space:\n"
        "    optimizer.nesterov: {values: [true, false], when: {optimizer.momentum: 0.9}}\n"
        "    optimizer.momentum: {values: [0.0, 0.9], when: {optimizer: sgd}}\n",
    )
    found = {tuple(sorted(overrides)) for overrides in tried(tiny, "optimizer=adam,sgd")}
    assert found == {
        ("optimizer=adam",),
        ("optimizer.momentum=0", "optimizer=sgd"),
        ("optimizer.momentum=0.9", "optimizer.nesterov=False", "optimizer=sgd"),
        ("optimizer.momentum=0.9", "optimizer.nesterov=True", "optimizer=sgd"),
    }


def test_a_draw_follows_from_the_samplers_seed_the_number_and_the_key(tiny: str) -> None:
    axis, settings = "optimizer.learning_rate=log(interval(1e-4,1e-1))", ("sweep=random", "sweep.trials=5")
    once = tried(tiny, axis, *settings, count=5)
    again = prepared(tiny, axis, "seed=0,1", *settings)
    assert again.sampler is not None
    again.sampler.begin([Trial(0, tuple(once[0]), "done", (0.5,))])
    assert [found[0] for found in again.sampler.ask(range(1, 5))] == [overrides[0] for overrides in once[1:]]
    assert tried(tiny, axis, *settings, "sweep.seed=1", count=5) != once


def test_draws_keep_to_their_interval_and_its_scale(tiny: str) -> None:
    axes = (
        "optimizer.learning_rate=log(interval(1e-4,1))",
        "optimizer.b1=interval(0.5,0.75)",
        "network.args.width=int(interval(1,3))",
    )
    drawn = [
        dict(text.split("=") for text in overrides)
        for overrides in tried(tiny, *axes, "sweep=random", "sweep.trials=400", count=400)
    ]
    rates = [float(values["optimizer.learning_rate"]) for values in drawn]
    assert all(1e-4 <= rate <= 1 for rate in rates)
    assert 160 <= sum(rate < 1e-2 for rate in rates) <= 240  # half lies below the geometric mean; 4 deviations
    assert all(0.5 <= float(values["optimizer.b1"]) <= 0.75 for values in drawn)
    assert {values["network.args.width"] for values in drawn} == {"1", "2", "3"}


def test_a_number_that_was_drawn_is_short_enough_to_copy(tiny: str) -> None:
    (first,) = tried(tiny, "optimizer.learning_rate=interval(0.1,0.9)", "sweep=random", "sweep.trials=1", count=1)
    assert len(first[0].partition("=")[2]) <= 8


def test_a_grid_goes_on_behind_what_was_tried(tiny: str) -> None:
    found = prepared(tiny, "seed=range(4)")
    assert found.sampler is not None
    found.sampler.begin([Trial(0, ("seed=2",), "done", (1.0,)), Trial(1, ("seed=0",), "queued")])
    assert found.sampler.ask(range(2, 9)) == [["seed=1"], ["seed=3"]]
    assert found.sampler.ask(range(4, 9)) == []
