"""The shipped config groups: every option composes, and the default options say what the schema would."""

from __future__ import annotations

import pytest

from framework.config.compose import groups, load, shipped
from framework.config.compose.document import read
from framework.config.schema.root import Config
from framework.config.validation.check import frozen

SWAPPED = ("optimizer", "optimizer/schedule", "trainer", "checkpoint", "report", "parallel", "run")
OPTIONS = [(group, option) for group in SWAPPED for option in groups()[group]]


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=lambda word: word.replace("/", "-"))
def test_every_option_composes_into_a_valid_recipe(write, group, option):
    write()
    loaded = load("./mine.yaml", [f"{group}={option}"])
    assert loaded.choices[group] == (option, f"override {group}={option}")


@pytest.mark.parametrize("section", ["trainer", "checkpoint", "report", "run"])
def test_a_default_option_writes_every_setting_out_with_the_schemas_value(section):
    value = read(shipped("configs") / section / "default.yaml", section).value
    schema = type(Config.model_fields[section].annotation and Config.model_fields[section].annotation())
    assert list(value) == list(schema.model_fields)
    assert schema.model_validate(frozen(value)) == schema()


@pytest.mark.parametrize("group", sorted(groups()))
def test_every_option_begins_with_a_comment_that_says_what_it_is(group):
    for option in groups()[group]:
        header = read(shipped("configs") / group / f"{option}.yaml", option).header
        assert header.partition("\n")[0].endswith((".", ":", ";")) or len(header) > 20, f"{group}={option}"
