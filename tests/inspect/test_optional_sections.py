"""`fw explain` of a key that is null: what it could hold, and the override that switches it on."""

from __future__ import annotations

import pytest

from framework.cli.main import main
from framework.config.compose import load
from framework.config.schema.data import Npz
from framework.config.schema.parallel import Coordinator
from framework.config.schema.training import EarlyStop, Trainer
from framework.inspect.explanation import explain
from framework.inspect.optional import possible_sections


def test_a_null_section_is_told_with_its_fields_and_what_switches_it_on(capsys: pytest.CaptureFixture) -> None:
    assert main(["explain", "digits_mlp", "trainer.early_stop"]) == 0
    out = capsys.readouterr().out
    assert "  switched on by  trainer.early_stop.monitor=valid.loss\n" in out
    assert "\nwhat it could hold\nStop when a validation metric has not improved for a while.\n" in out
    assert "\n  patience   int > 0, default 10\n             validations without improvement before stopping\n" in out


def test_the_override_that_is_told_gives_the_section_with_the_defaults_that_are_told() -> None:
    (found,) = explain(load("digits_mlp"), "trainer.early_stop").possible
    loaded = load("digits_mlp", [found.override])
    assert loaded.config.trainer.early_stop == EarlyStop.model_validate({})
    assert explain(loaded, "trainer.early_stop").possible == ()


def test_of_a_section_with_required_settings_all_of_them_are_told() -> None:
    (found,) = explain(load("digits_mlp"), "parallel.hosts").possible
    assert found.override.split() == [
        "parallel.hosts.coordinator=COORDINATOR",
        "parallel.hosts.processes=PROCESSES",
        "parallel.hosts.process=PROCESS",
    ]
    assert {member.name for member in found.members} == set(Coordinator.model_fields)


def test_a_number_that_is_null_could_hold_no_section() -> None:
    assert possible_sections(Trainer, "ema_decay", "trainer.ema_decay") == ()
    assert possible_sections(Trainer, "lowering", "trainer.lowering") == ()
    assert [len(found.members) for found in possible_sections(Npz, "arrays", "data.arrays")] == [3]
