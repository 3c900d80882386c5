"""What is suggested for an unknown key in a section of a section stays there."""

from __future__ import annotations

import pytest

from framework.config.compose import load
from framework.core.errors import ConfigError, Problem


def problem(*overrides: str) -> Problem:
    with pytest.raises(ConfigError) as refusal:
        load("digits_mlp", overrides)
    (found,) = refusal.value.problems
    return found


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("parallel.axes.model=2", "parallel.axes.tensor=2"),
        ("parallel.axes.modle=2", "parallel.axes.tensor=2"),
        ("parallel.axes.repilca=2", "parallel.axes.data=2"),
        ("parallel.axes.tensro=2", "parallel.axes.tensor=2"),
        ("parallel.axes.patiense=2", "leave out parallel.axes.patiense=2"),
    ],
)
def test_an_axis_of_a_mesh_is_mended_within_the_mesh(written: str, fix: str) -> None:
    assert problem("parallel=mesh", written).fix == fix


def test_a_setting_that_one_other_option_has_is_mended_by_choosing_it() -> None:
    assert problem("parallel.axes.tensor=2").fix == "parallel=mesh parallel.axes.tensor=2"
    load("digits_mlp", ["parallel=mesh", "parallel.axes.tensor=2"])


def test_a_setting_that_two_options_have_is_left_out() -> None:
    assert problem("optimizer.momentum=0.9").fix == "leave out optimizer.momentum=0.9"


def test_a_slip_in_a_section_may_still_be_of_another_one() -> None:
    assert problem("trainer.clip_nrom=4.0").fix == "optimizer.clip_norm=4"
