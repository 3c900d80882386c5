"""What there is to choose from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from framework.config.schema.layers import LAYERS
from framework.core.errors import ConfigError
from framework.inspect.components import family
from framework.inspect.implementation import implementation
from framework.inspect.listing import KINDS, example, find, items

COMPONENTS = ("data", "loss", "metric", "optimizer", "schedule", "layer")
PAIRS = [(name, word) for name in COMPONENTS for word in family(name)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "networks"])
def test_every_item_has_a_summary_of_one_sentence(kind: str) -> None:
    found = items(kind)
    assert found
    for item in found:
        assert re.fullmatch(r"\S.*[.!?]", item.summary), item.name


def test_items_are_those_of_the_catalogue() -> None:
    assert [item.name for item in items("layers")] == list(LAYERS)
    assert {"adam", "adamw", "sgd", "lion"} <= {item.name for item in items("optimizers")}
    assert {"digits_mlp", "digits_cnn", "wine_mlp"} <= {item.name for item in items("recipes")}


@pytest.mark.parametrize(("name", "word"), PAIRS)
def test_every_component_has_an_implementation_of_its_name(name: str, word: str) -> None:
    found = implementation(name, (word, family(name)[word].__name__))
    assert found is not None
    file, _, symbol = found.place.partition(": ")
    root = Path(__file__).parent.parent.parent
    assert re.search(rf"^(def|class) {symbol}\b", (root / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_user_s_own_recipes_are_listed(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mine.yaml").write_text("# What I do.\nname: mine\n")
    item = find("recipes", "mine", [str(tmp_path)])
    assert (item.summary, item.file) == ("What I do.", tmp_path / "recipes" / "mine.yaml")


def test_an_unknown_name_is_told_with_the_closest() -> None:
    with pytest.raises(ConfigError, match=r"nothing is called 'adamax'(.|\n)*fix: +fw list optimizers adam"):
        find("optimizers", "adamax")


@pytest.mark.parametrize(("name", "word"), [pair for pair in PAIRS if pair[0] in ("layer", "optimizer", "schedule")])
def test_the_example_of_a_component_is_yaml_that_validates(name: str, word: str) -> None:
    kind = {"layer": "layers", "optimizer": "optimizers", "schedule": "schedules"}[name]
    written = yaml.safe_load(example(find(kind, word)))
    if name != "layer":
        family(name)[word].model_validate(written)
    elif isinstance(written["my_node"], dict):
        assert list(written["my_node"]) == [word]
    else:
        assert written["my_node"] == word


def test_the_example_of_a_layer_holds_what_is_required() -> None:
    assert example(find("layers", "dense")) == "my_node: {dense: {features: 64}}"
    assert example(find("layers", "relu")) == "my_node: relu"
