"""docs/network_language.md is true: each example gives the shapes, counts and messages that the page states."""

from __future__ import annotations

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
import yaml

from framework.config.language import elaborate
from framework.config.schema.layers import LAYERS
from framework.core.errors import ConfigError
from framework.core.trees import size
from framework.network import Network

PAGE = (Path(__file__).parents[3] / "docs" / "network_language.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ARRAY = re.compile(r"(?:(\w+) )?(\w+)\[([\d, ]*)\]")


def blocks(language: str) -> list[str]:
    return [text for name, text in FENCE.findall(PAGE) if name == language]


EXAMPLES = blocks("yaml")


def stated(example: str, word: str) -> str:
    found = re.search(rf"^# {word}: (.*)$", example, re.MULTILINE)
    return found[1] if found else ""


def arrays(text: str) -> dict[str, jax.ShapeDtypeStruct]:
    """`name float32[2, 3], ...` as shapes by name; the name is empty where there is none."""
    return {
        name: jax.ShapeDtypeStruct(tuple(int(size) for size in shape.split(",")), jnp.dtype(dtype))
        for name, dtype, shape in ARRAY.findall(text)
    }


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_gives_what_it_states(number: int) -> None:
    example = EXAMPLES[number]
    network = Network(yaml.safe_load(example))
    given = arrays(stated(example, "input"))
    spec = given.get("", given)
    variables = jax.eval_shape(lambda: network.init(jax.random.key(0), spec))
    outputs, _ = jax.eval_shape(lambda v, x: network.apply(v, x), variables, spec)
    assert {name: (out.shape, out.dtype) for name, out in outputs.items()} == {
        name: (out.shape, out.dtype) for name, out in arrays(stated(example, "output")).items()
    }
    assert network.graph.warnings == ()
    if stated(example, "parameters"):
        assert size(variables["params"]) == int(stated(example, "parameters"))
    if stated(example, "traced"):
        assert ", ".join(network.traced) == stated(example, "traced")


def test_every_example_states_its_input_and_output() -> None:
    assert len(EXAMPLES) >= 15
    assert all(stated(example, "input") and stated(example, "output") for example in EXAMPLES)


def test_the_python_of_the_page_runs() -> None:
    names: dict[str, object] = {}
    for source in blocks("python"):
        exec(compile(source, "docs/network_language.md", "exec"), names)
    assert {"logits", "rows"} <= set(names)


def test_the_messages_of_the_page_are_the_real_ones() -> None:
    declared, fitted = blocks("text")
    stem = {"conv": {"features": 8, "kernal": 3}}
    with pytest.raises(ConfigError) as raised:
        elaborate({"layers": {"stem": stem, "act": "relu", "out": {"add": {}, "from": ["act", "stm"]}}})
    assert sorted(map(str, raised.value.problems)) == sorted(re.split(r"\n(?=\S)", declared.strip()))
    with pytest.raises(ConfigError) as raised:
        Network({"layers": {"fc": {"dense": {"features": 3}}, "out": {"add": {}, "from": ["fc", "input"]}}}).check(
            jax.ShapeDtypeStruct((2, 4), jnp.float32)
        )
    assert str(raised.value) == fitted.strip()


def test_the_page_lists_every_operation() -> None:
    assert re.findall(r"^\| `(\w+)` \| [A-Z]", PAGE, re.MULTILINE) == list(LAYERS)
