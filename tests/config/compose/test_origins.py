"""Who set what. Each leaf's origin is checked against the text of the line that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from framework.config.compose import load, recipes, shipped
from framework.config.compose.paths import dotted, leaves

OVERRIDES = {
    "as it is": [],
    "another optimizer": ["optimizer=sgd"],
    "another schedule": ["optimizer/schedule=linear"],
    "quiet": ["report=quiet", "checkpoint=none"],
}


def _line(origin: str) -> str:
    name, _, number = origin.rpartition(":")
    path = Path(name)
    for kind in ("configs", "recipes"):
        if name.startswith(f"{kind}/") and not path.exists():
            path = shipped(kind) / name.partition("/")[2]
    return path.read_text(encoding="utf-8").splitlines()[int(number) - 1]


@pytest.mark.parametrize("case", OVERRIDES, ids=lambda case: case.replace(" ", "-"))
@pytest.mark.parametrize("entry", recipes(), ids=lambda entry: entry.name)
def test_the_line_of_every_leaf_holds_its_key(entry, case):
    overrides = list(OVERRIDES[case])
    if case == "another optimizer":  # settings of the recipe that the other one lacks are to be taken out, as it says
        own = re.findall(r"^  (weight_decay|b1|b2|eps):", entry.file.read_text(encoding="utf-8"), re.MULTILINE)
        overrides += [f"~optimizer.{key}" for key in own]
    loaded = load(entry.identity, overrides)
    for path, _ in leaves(loaded.tree):
        origin = loaded.origins[dotted(path)]
        if path == ("name",):
            assert origin == "default"
            continue
        named = next(part for part in reversed(path) if isinstance(part, str))
        line = _line(origin)
        assert f"{named}:" in line or (isinstance(path[-1], int) and "[" in line) or line.strip().startswith("-")


@pytest.mark.parametrize("entry", recipes(), ids=lambda entry: entry.name)
def test_the_last_entry_of_a_history_is_what_stands(entry):
    loaded = load(entry.identity, ["seed=3", "trainer.log_every_steps=9"])
    for path, value in leaves(loaded.tree):
        key = dotted(path)
        if key not in loaded.history:
            continue  # an item of a list, which is set as a whole
        origin, written = loaded.history[key][-1]
        assert origin == loaded.origins[key]
        assert written == loaded.interpolations.get(key, value)


def test_the_history_tells_every_setting_in_order(write):
    write("optimizer:\n  learning_rate: 0.5\n")
    loaded = load("./mine.yaml", ["optimizer.learning_rate=0.1", "optimizer.learning_rate=0.2"])
    assert loaded.history["optimizer.learning_rate"] == (
        ("configs/optimizer/adamw.yaml:8", 0.001),
        ("mine.yaml:15", 0.5),
        ("override optimizer.learning_rate=0.1", 0.1),
        ("override optimizer.learning_rate=0.2", 0.2),
    )


def test_the_choices_tell_who_chose(write):
    write()
    choices = load("./mine.yaml", ["optimizer/schedule=cosine"]).choices
    assert choices["data"] == ("digits", "mine.yaml:3")
    assert choices["optimizer/schedule"] == ("cosine", "override optimizer/schedule=cosine")
    assert choices["trainer"] == ("default", "configs/config.yaml:9")
    assert "recipe" not in choices


def test_a_mapping_given_by_an_override_is_its_origin_all_through(write):
    write()
    text = "trainer.early_stop={patience: 3, mode: max}"
    origins = load("./mine.yaml", [text]).origins
    for key in ("trainer.early_stop", "trainer.early_stop.patience", "trainer.early_stop.mode"):
        assert origins[key] == f"override {text}"


def test_a_list_that_is_replaced_leaves_nothing_of_the_old_one(write):
    write("run:\n  stages: [train]\n")
    loaded = load("./mine.yaml")
    assert loaded.origins["run.stages.0"] == "mine.yaml:15"
    assert "run.stages.1" not in loaded.origins
    assert loaded.history["run.stages"] == (
        ("configs/run/default.yaml:3", ["train", "evaluate"]),
        ("mine.yaml:15", ["train"]),
    )


def test_null_in_the_place_of_a_section_leaves_nothing_of_it(write):
    write("trainer:\n  early_stop: {patience: 3}\n", "mine.yaml")
    text = (
        Path("mine.yaml")
        .read_text()
        .replace("trainer:\n  epochs: 2\n", "", 1)
        .replace("early_stop", "epochs: 2\n  early_stop")
    )
    write(text, whole=True)
    loaded = load("./mine.yaml", ["trainer.early_stop=null"])
    assert loaded.config.trainer.early_stop is None
    assert "trainer.early_stop.patience" not in loaded.origins
    assert loaded.history["trainer.early_stop.patience"][0][1] == 3


def test_an_interpolation_is_kept_as_written_with_its_line(write):
    write()
    loaded = load("./mine.yaml")
    key = "network.layers.logits.dense.features"
    assert loaded.interpolations[key] == "${data.classes}"
    assert loaded.history[key] == (("mine.yaml:10", "${data.classes}"),)
    assert loaded.tree["network"]["layers"]["logits"]["dense"]["features"] == 10


def test_an_alias_keeps_the_line_where_its_text_stands(write):
    write("metrics:\n  one: &m\n    type: accuracy\n  two: *m\n")
    origins = load("./mine.yaml").origins
    assert (origins["metrics.two"], origins["metrics.two.type"]) == ("mine.yaml:17", "mine.yaml:16")


def test_a_package_header_moves_a_file_and_its_origins(write):
    write("# @package trainer.early_stop\npatience: 4\n", "configs/extra/patient.yaml", whole=True)
    write()
    loaded = load("./mine.yaml", ["+extra=patient"])
    assert loaded.config.trainer.early_stop.patience == 4
    assert loaded.origins["trainer.early_stop.patience"] == "configs/extra/patient.yaml:2"
