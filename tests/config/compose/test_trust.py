"""Code that a recipe names is refused before it is imported, and a recipe cannot configure Hydra."""

from __future__ import annotations

import sys

import pytest

from framework.config.compose import load, load_file
from framework.core.errors import ConfigError

LAYER = "network: {layers: {flat: flatten, mine: {module: {_target_: %s}}}}\n"
REST = "defaults: [{override /data: digits}, {override /losses: classification}]\ntrainer: {epochs: 1}\n"


@pytest.fixture
def trap(folder, monkeypatch):
    """A package that says so when it is imported."""
    for name in ("trapped", "trapped_more"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"open('{name}-was-imported', 'w').close()\nclass Layer: ...\n")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(folder))
    yield
    assert list(folder.glob("*-was-imported")) == []


def test_a_target_is_refused_unimported(write, problems, trap):
    write(REST + LAYER % "trapped.Layer", whole=True)
    (problem,) = problems()
    assert problem.key == "network.layers.mine.module._target_"
    assert problem.found == "'trapped.Layer' is not trusted, so it was not imported"
    assert (problem.origin, problem.fix) == ("mine.yaml:3", "--trust trapped, if trapped is your own code")


@pytest.mark.parametrize("trust", ["trapped", "trapped.Layer"])
def test_a_trusted_prefix_admits_it(write, trap, trust):
    write(REST + LAYER % "trapped.Layer", whole=True)
    loaded = load("./mine.yaml", trust=[trust])
    assert loaded.tree["network"]["layers"]["mine"]["module"]["_target_"] == "trapped.Layer"


@pytest.mark.parametrize("trust", ["trap", "trapped.Lay", "trapped.Layer.more", "", "hydra", "trapped_more"])
def test_a_prefix_covers_whole_components_only(write, problems, trap, trust):
    write(REST + LAYER % "trapped.Layer", whole=True)
    (problem,) = problems(trust=[trust])
    assert problem.found == "'trapped.Layer' is not trusted, so it was not imported"


def test_a_name_that_begins_alike_is_not_covered(write, problems, trap):
    write(REST + LAYER % "trapped_more.Layer", whole=True)
    assert "'trapped_more.Layer' is not trusted" in problems(trust=["trapped"])[0].found


PLACES = {
    "in an override": (
        "",
        ["network.layers.flat={module: {_target_: os.system}}"],
        "network.layers.flat.module._target_",
    ),
    "in a list": ("run: {stages: [{_target_: os.system}]}\n", [], "run.stages.0._target_"),
    "in a component": ("data: {_target_: os.system}\n", [], "data._target_"),
    "at the root": ("_target_: os.system\n", [], "_target_"),
    "behind an interpolation": ("report: {_target_: '${name}'}\nname: os.system\n", [], "report._target_"),
    "in a section that is copied": ("report: {a: {_target_: os.system}, b: 1}\n", [], "report.a._target_"),
}


@pytest.mark.parametrize("case", PLACES, ids=lambda case: case.replace(" ", "-"))
def test_a_target_is_refused_anywhere(write, problems, case):
    text, overrides, key = PLACES[case]
    write(text)
    (problem,) = problems(overrides)
    assert (problem.key, problem.found) == (key, "'os.system' is not trusted, so it was not imported")


@pytest.mark.parametrize("name", ["5", "os", "'import os; os.system'", "[a, b]", "a..b"])
def test_a_target_that_is_no_dotted_name_is_refused_even_if_trusted(write, problems, name):
    write(f"report: {{_target_: {name}}}\n")
    (problem,) = problems(trust=["os", "a"])
    assert problem.found.endswith("names no class or function")


def test_a_target_in_a_runs_config_is_refused(write, trap):
    path = write(LAYER % "trapped.Layer", "run/config.yaml", whole=True)
    with pytest.raises(ConfigError, match=r"'trapped\.Layer' is not trusted, so it was not imported"):
        load_file(path)


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("+hydra.callbacks.x._target_=os.system", "hydra.callbacks.x._target_"),
        ("+hydra.callbacks={x: {_target_: os.system}}", "hydra.callbacks.x._target_"),
    ],
)
def test_an_override_cannot_make_hydra_import_either(write, problems, override, key):
    (problem,) = problems([override])
    assert (problem.key, problem.found) == (key, "'os.system' is not trusted, so it was not imported")
    assert load("./mine.yaml", [override], trust=["os"]).config.name == "mine"


def test_trust_in_hydra_nodes_is_no_trust_in_hydras_package(write, problems):
    write("report: {_target_: hydra.utils.instantiate}\n")
    assert "'hydra.utils.instantiate' is not trusted" in problems(trust=["hydra"])[0].found


HYDRA = {
    "a node in a recipe": ({"mine.yaml": "hydra: {verbose: true}\n"}, [], "a `hydra:` node can run code"),
    "a node in a group": (
        {"mine.yaml": "", "configs/report/loud.yaml": "# @package _global_\nhydra: {verbose: true}\n"},
        ["report=loud"],
        "a `hydra:` node can run code",
    ),
    "a group of hydra's": (
        {"mine.yaml": "", "configs/hydra/launcher/evil.yaml": "_target_: os.system\n"},
        ["hydra/launcher=evil"],
        "unknown option 'evil'",
    ),
    "a package header": (
        {"mine.yaml": "", "configs/extra/evil.yaml": "# @package hydra.callbacks\nx: {_target_: os.system}\n"},
        ["+extra=evil"],
        "the file is merged into Hydra's own configuration, at hydra.callbacks",
    ),
    "a package in an override": (
        {"mine.yaml": "", "configs/extra/evil.yaml": "x: {_target_: os.system}\n"},
        ["+extra@hydra.callbacks=evil"],
        "the file is merged into Hydra's own configuration, at hydra.callbacks",
    ),
}


@pytest.mark.parametrize("case", HYDRA, ids=lambda case: case.replace(" ", "-"))
def test_a_users_file_cannot_configure_hydra(write, problems, case):
    files, overrides, found = HYDRA[case]
    for name, text in files.items():
        write(text, name, whole=name != "mine.yaml")
    assert found in [problem.found for problem in problems(overrides)]


@pytest.mark.parametrize(
    "case", [case for case in HYDRA if case != "a group of hydra's"], ids=lambda case: case.replace(" ", "-")
)
def test_with_trust_it_can(write, case):
    files, overrides, _ = HYDRA[case]
    for name, text in files.items():
        write(text, name, whole=name != "mine.yaml")
    assert "hydra" not in load("./mine.yaml", overrides, trust=["hydra"]).tree


def test_a_path_out_of_the_roots_is_not_followed(write, problems):
    write("seed: 3\n", "secret.yaml", whole=True)
    write("defaults:\n  - /../secret\n", "recipes/mine.yaml", whole=True)
    with pytest.raises(ConfigError, match=r"nothing is called"):
        load("mine")
