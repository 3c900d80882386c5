"""What `split` gives is read by number, and everything else is told."""

from __future__ import annotations

import pytest
import yaml

from framework.config.language import elaborate
from framework.core.errors import ConfigError


def test_parts_are_read_by_number() -> None:
    text = "{layers: {s: {split: {parts: 2}}, y: {relu: {}, from: s.1}}, outputs: {first: s.0, y: y}}"
    graph = elaborate(yaml.safe_load(text))
    assert graph.nodes[1].inputs == ("s.1",)
    assert graph.outputs == (("first", "s.0"), ("y", "y"))


@pytest.mark.parametrize(
    ("layers", "key", "found"),
    [
        ("{s: {split: {parts: 2}}, y: relu}", "y.from", "the node before, 's', gives several outputs"),
        ("{s: {split: {parts: 2}}, y: {relu: {}, from: s}}", "y.from", "'s' gives several outputs"),
        ("{s: {split: {parts: 2}}, y: {relu: {}, from: s.a}}", "y.from", "'s' gives several outputs"),
        ("{s: {split: {parts: 2}}}", "s", "'s' gives several outputs, and nothing says which of them goes on"),
        ("{s: {split: {parts: 2}, repeat: 2}, y: {relu: {}, from: s.0}}", "s.repeat", "'split' gives several outputs"),
        (
            "{p: {parallel: {layers: {s: {split: {parts: 2}}, b: relu}}}}",
            "p.parallel.layers.s",
            "'s' gives several outputs, and nothing says which of them goes on",
        ),
    ],
)
def test_a_whole_split_cannot_be_read(layers: str, key: str, found: str) -> None:
    with pytest.raises(ConfigError) as raised:
        elaborate({"layers": yaml.safe_load(layers)})
    problem = raised.value.problems[0]
    assert problem.key == f"network.layers.{key}"
    assert problem.found.startswith(found)
