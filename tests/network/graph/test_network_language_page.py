"""docs/network_language.md and docs/layers.md are true: their examples give what they state."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import yaml

from framework.config.language import elaborate
from framework.config.language.combinators import MERGES
from framework.config.language.nodes import NODE_KEYS, REGULARIZERS, SPECIAL
from framework.config.schema.layers import LAYERS
from framework.config.schema.layers.initializers import INITIALIZERS
from framework.core.errors import ConfigError
from framework.core.trees import size
from framework.network import Network

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("network_language", "layers")}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ARRAY = re.compile(r"(?:(\w+) )?(\w+)\[([\d, ]*)\]")


def blocks(language: str) -> list[tuple[str, str]]:
    """Each block of a language with its page and the heading that it stands under."""
    found = []
    for page, text in PAGES.items():
        for block in FENCE.finditer(text):
            heading = re.findall(r"^#+ (.*)$", FENCE.sub("", text[: block.start()]), re.MULTILINE)[-1]
            if block[1] == language:
                found.append((f"{page}: {heading}", block[2]))
    return found


EXAMPLES = blocks("yaml")
SECTION = ("args", "inputs", "layers", "outputs", "blocks")


def stated(example: str, word: str) -> str:
    found = re.search(rf"^# {word}: (.*)$", example, re.MULTILINE)
    return found[1] if found else ""


def arrays(text: str) -> dict[str, jax.ShapeDtypeStruct]:
    """`name float32[2, 3], ...` as shapes by name; the name is empty where there is none."""
    return {
        name: jax.ShapeDtypeStruct(tuple(int(size) for size in shape.split(",")), jnp.dtype(dtype))
        for name, dtype, shape in ARRAY.findall(text)
    }


@pytest.mark.parametrize("example", [text for _, text in EXAMPLES], ids=[place for place, _ in EXAMPLES])
def test_example_gives_what_it_states(example: str) -> None:
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
    assert len(EXAMPLES) >= 40
    assert all(stated(example, "input") and stated(example, "output") for _, example in EXAMPLES)


def words(declared: Any) -> set[str]:
    """All keys of a declaration, and all its plain values."""
    if isinstance(declared, dict):
        return {str(key) for key in declared}.union(*map(words, declared.values()))
    if isinstance(declared, list):
        return set().union(*map(words, declared))
    return {str(declared)}


def test_every_operation_and_every_word_stands_in_an_example() -> None:
    shown = set().union(*(words(yaml.safe_load(example)) for _, example in EXAMPLES))
    assert {
        *LAYERS,
        *SPECIAL,
        *NODE_KEYS,
        *SECTION,
        *REGULARIZERS,
        *MERGES,
        *INITIALIZERS,
        "param_dtype",
    } - shown == set()


def test_every_link_within_the_pages_leads_to_a_heading() -> None:
    anchors = {
        name: {
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        for name, text in PAGES.items()
    }
    for name, text in PAGES.items():
        for page, anchor in re.findall(r"\]\((?:(network_language|layers)\.md)?#([\w-]+)\)", text):
            assert anchor in anchors[page or name], f"{name}: {page}#{anchor}"


def test_the_python_of_the_page_runs() -> None:
    names: dict[str, object] = {}
    for _, source in blocks("python"):
        exec(compile(source, "docs/network_language.md", "exec"), names)
    assert {"logits", "rows"} <= set(names)


def test_the_messages_of_the_page_are_the_real_ones() -> None:
    declared, fitted, *_ = (text for _, text in blocks("text"))
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
    assert re.findall(r"^\| `(\w+)` \| [A-Z]", PAGES["layers"], re.MULTILINE) == list(LAYERS)
