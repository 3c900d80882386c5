"""The JSON schema that editors complete nodes with knows every operation and every argument."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from framework.config.language.nodes import NODE_KEYS, SPECIAL
from framework.config.schema import layers
from framework.config.schema.layers import LAYERS
from framework.config.schema.network import NetworkSection


def node_of(schema: dict[str, Any]) -> dict[str, Any]:
    _, node, _ = schema["additionalProperties"]["anyOf"]
    return node["properties"]


def test_every_word_of_a_node_is_offered() -> None:
    schema = NetworkSection.model_json_schema()
    declared = schema["properties"]["layers"]
    assert set(node_of(declared)) == {*LAYERS, *NODE_KEYS, *SPECIAL}
    assert node_of(schema["properties"]["blocks"]["additionalProperties"]["properties"]["layers"]) == node_of(declared)


def test_every_argument_is_described_and_may_be_a_formula() -> None:
    nodes = node_of(NetworkSection.model_json_schema()["properties"]["layers"])
    for op, spec in LAYERS.items():
        arguments = nodes[op]["anyOf"][0]
        assert set(arguments["properties"]) == set(spec.model_fields)
        assert arguments["additionalProperties"] is False
        for argument in arguments["properties"].values():
            assert argument["anyOf"][1] == {"type": "string", "pattern": "^="}


def test_no_word_stands_for_two_layers() -> None:
    sources = [path for path in Path(layers.__file__).parent.glob("*.py") if path.stem != "initializers"]
    words = [word for path in sources for word in re.findall(r'^    op: ClassVar.* = "(\w+)"', path.read_text(), re.M)]
    assert sorted(words) == sorted(LAYERS)
    assert all(LAYERS[word].op == word for word in words)


def test_only_the_layers_that_a_recipe_has_are_imported() -> None:
    code = (
        "import sys; from framework.config.compose import load; load('digits_mlp', []);"
        "print([name for name in ('linear', 'recurrent') if f'framework.config.schema.layers.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['linear']"


def test_the_schema_refers_to_nothing_that_it_does_not_hold() -> None:
    assert "$ref" not in json.dumps(NetworkSection.model_json_schema())
