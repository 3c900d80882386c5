"""The JSON schema for editors, checked by evaluating it on the recipes that exist and on mistakes in them."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from framework.config.compose import json_schema, load, recipes, schema_json
from framework.config.schema.base import traced_values

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "array": list}


@cache
def schema_of_recipes() -> dict[str, Any]:
    return json_schema()


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value fits a schema: the part of JSON schema that ours uses."""
    if "$ref" in schema and not fits(value, schema_of_recipes()["$defs"][schema["$ref"].rpartition("/")[2]]):
        return False
    if "anyOf" in schema and not any(fits(value, branch) for branch in schema["anyOf"]):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = schema.get("type", [])
    if kinds and not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return False
    if isinstance(value, str):
        return bool(re.search(schema.get("pattern", ""), value)) and len(value) >= schema.get("minLength", 0)
    if isinstance(value, dict):
        return _mapping_fits(value, schema)
    if isinstance(value, list):
        enough = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1 << 30)
        return enough and all(fits(item, schema.get("items", {})) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        above = value >= schema.get("minimum", value) and not value <= schema.get("exclusiveMinimum", value - 1)
        return (
            above and value <= schema.get("maximum", value) and not value >= schema.get("exclusiveMaximum", value + 1)
        )
    return True


def _is(value: Any, kind: str) -> bool:
    if kind == "object":
        return isinstance(value, dict)
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _mapping_fits(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        inner = schema.get("properties", {}).get(name, rest)
        if inner is False or (isinstance(inner, dict) and not fits(item, inner)):
            return False
    return schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", 1 << 30)


def _recipe(entry) -> dict[str, Any]:
    text = entry.file.read_text(encoding="utf-8")
    return yaml.safe_load(text.replace("???", "'???'").replace("e-", ".0e-"))


@pytest.mark.parametrize("entry", recipes(), ids=lambda entry: entry.name)
def test_every_shipped_recipe_fits(entry):
    assert fits(_recipe(entry), schema_of_recipes())


@pytest.mark.parametrize("entry", recipes(), ids=lambda entry: entry.name)
def test_every_composed_recipe_fits(entry):
    assert fits(load(entry.identity).tree, schema_of_recipes())


GOOD = {
    "nothing": {},
    "part of a component": {"optimizer": {"learning_rate": 0.1}},
    "an interpolation for a number": {"optimizer": {"learning_rate": "${seed}"}, "seed": "${data.classes}"},
    "an interpolation for a section": {"optimizer": {"schedule": "${other}"}},
    "a value to be given": {"trainer": {"epochs": "???"}},
    "null": {"trainer": {"epochs": None}},
    "a formula": {"network": {"layers": {"a": {"dense": {"features": "=width * 2"}}}}},
    "a bare operation": {"network": {"layers": {"a": "relu"}}},
    "a user's block": {"network": {"layers": {"a": {"mine": {"depth": 3}}}}},
    "an option of a user's own": {"defaults": [{"override /data": "mine"}, "base", "_self_"]},
}
BAD = {
    "an unknown section": {"trainr": {}},
    "an unknown key": {"trainer": {"epoch": 5}},
    "text for a number": {"trainer": {"epochs": "five"}},
    "out of range": {"optimizer": {"learning_rate": -1}},
    "an unknown type": {"optimizer": {"type": "adamx"}},
    "a setting of another type": {"optimizer": {"type": "adam", "momentum": 0.9}},
    "an unknown word": {"trainer": {"on_nonfinite": "explode"}},
    "a layer's unknown argument": {"network": {"layers": {"a": {"dense": {"feature": 3}}}}},
    "a defaults list that is a mapping": {"defaults": {"data": "digits"}},
    "two groups in a line": {"defaults": [{"override /data": "digits", "override /optimizer": "adam"}]},
}


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.replace(" ", "-"))
def test_what_may_stand_in_a_recipe_fits(case):
    assert fits(GOOD[case], schema_of_recipes())


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.replace(" ", "-"))
def test_a_mistake_does_not_fit(case):
    assert not fits(BAD[case], schema_of_recipes())


def test_traced_keys_are_marked():
    loaded = load("digits_mlp")
    for key in traced_values(loaded.config.optimizer, "optimizer"):
        section, name = ("Cosine", key.rpartition(".")[2]) if "schedule" in key else ("AdamW", key.rpartition(".")[2])
        assert schema_of_recipes()["$defs"][section]["properties"][name]["traced"] is True
    assert "traced" not in schema_of_recipes()["$defs"]["Trainer"]["properties"]["epochs"]
    assert schema_of_recipes()["$defs"]["Trainer"]["properties"]["ema_decay"]["traced"] is True


def test_key_paths_are_marked():
    assert schema_of_recipes()["$defs"]["CrossEntropy"]["properties"]["logits"]["wired"] is True


def test_every_setting_of_the_run_is_described():
    sections = ("Trainer", "CheckpointSection", "Report", "Run", "EarlyStop")
    layouts = ("Auto", "Pmap", "Data", "Fsdp", "Tensor", "Mesh", "MeshAxes")
    for name in (*sections, *layouts):
        for key, schema in schema_of_recipes()["$defs"][name]["properties"].items():
            if key not in ("type", "axes"):  # what `axes` holds is described key by key
                assert schema.get("description"), f"{name}.{key}"


def test_the_groups_options_are_listed():
    entry = schema_of_recipes()["properties"]["defaults"]["items"]["anyOf"][1]["properties"]
    assert "lion" in entry["override /optimizer"]["anyOf"][0]["enum"]
    assert "cosine" in entry["override /optimizer/schedule"]["anyOf"][0]["enum"]


def test_the_text_is_the_schema():
    assert json.loads(schema_json()) == schema_of_recipes()
