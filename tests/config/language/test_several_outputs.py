"""Layers that give several outputs by name."""

from __future__ import annotations

import pytest
import yaml

from framework.config.language import elaborate
from framework.core.errors import ConfigError

LSTM = "a: {lstm: {features: 4, return_state: true}}"


def test_the_states_of_a_recurrence_are_read_by_name() -> None:
    graph = elaborate(yaml.safe_load(f"layers: {{{LSTM}, b: {{add: {{}}, from: [a.hidden, a.cell]}}}}"))
    assert graph.nodes[1].inputs == ("a.hidden", "a.cell")


def test_without_return_state_there_is_one_output() -> None:
    graph = elaborate(yaml.safe_load("layers: {a: {lstm: {features: 4, return_state: false}}, b: relu}"))
    assert graph.nodes[1].inputs == ("a",)
    with pytest.raises(ConfigError, match="'a' gives one output, not 'hidden'"):
        elaborate(yaml.safe_load("layers: {a: {lstm: {features: 4}}, b: {relu: {}, from: a.hidden}}"))


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        (
            f"{LSTM}, b: relu",
            "the node before, 'a', gives several outputs\n  expected:  one of a.output, a.hidden, a.cell",
        ),
        (f"{LSTM}, b: {{relu: {{}}, from: a.hiden}}", "fix:       network.layers.b.from=a.hidden"),
        ("a: {gru: {features: 4, return_state: true}}, b: {relu: {}, from: a.cell}", "'a' gives no output 'cell'"),
        (
            "a: {lstm: {features: 4, return_state: true}, repeat: 2}, b: {relu: {}, from: a.output}",
            "'lstm' gives several outputs, so copies cannot follow each other",
        ),
    ],
)
def test_a_mistake_is_told(layers: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        elaborate(yaml.safe_load(f"layers: {{{layers}}}"))
    assert text in str(caught.value)


def test_a_formula_may_ask_for_the_state() -> None:
    declared = (
        "args: {deep: true}\nlayers: {a: {gru: {features: 4, return_state: '=deep'}}, b: {relu: {}, from: a.hidden}}"
    )
    assert elaborate(yaml.safe_load(declared)).nodes[1].inputs == ("a.hidden",)
