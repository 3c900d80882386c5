"""The text format of protocol buffers: values, nesting, repetition, lines, and mistakes by line."""

from __future__ import annotations

import pytest

from framework.core.errors import ConfigError
from framework.inspect.importing.text_format import Message, Word, parse


def plain(message: Message) -> list[tuple[str, object]]:
    return [(e.name, plain(e.value) if isinstance(e.value, Message) else e.value) for e in message.entries]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1 # a comment\nb: -2.5e1", [("a", 1), ("b", -25.0)]),
        ("a: 0x1F, b: 1.5f; c: .5", [("a", 31), ("b", 1.5), ("c", 0.5)]),
        ("a: true b: false c: MAX", [("a", True), ("b", False), ("c", "MAX")]),
        (r"""a: "x\ny" 'z' b: '\x41\102'""", [("a", "x\nyz"), ("b", "AB")]),
        ("a { b: 1 } a: { b: 2 } a < b: 3 >", [("a", [("b", 1)]), ("a", [("b", 2)]), ("a", [("b", 3)])]),
        ("dim: [1, 2] dim: 3 e: []", [("dim", 1), ("dim", 2), ("dim", 3)]),
        ("# nothing\n", []),
    ],
)
def test_values_are_read_as_the_format_says(text: str, expected: list[tuple[str, object]]) -> None:
    assert plain(parse(text, "net.prototxt")) == expected


def test_an_enum_is_a_word_and_a_string_is_not() -> None:
    word, string = parse('a: MAX b: "MAX"', "net.prototxt").entries
    assert isinstance(word.value, Word) and not isinstance(string.value, Word)


def test_every_field_knows_its_line() -> None:
    outer = parse("# first\na {\n  b: 1\n\n  c: 2\n}\n", "net.prototxt").entries[0]
    assert isinstance(outer.value, Message)
    assert [outer.line, *(entry.line for entry in outer.value.entries)] == [2, 3, 5]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("a {\n b: 1\n", 3, "the file ends early"),
        ("a: 1\nb 2", 2, "unexpected '2'"),
        ("a: }", 1, "unexpected '}'"),
        ("a: 1\n}", 2, "unexpected '}'"),
        ('a: "open\n', 1, "unexpected '\"'"),
        ("a: 1\n\n%", 3, "unexpected '%'"),
        ("a: [1 2]", 1, "unexpected '2'"),
        ("a {" * 100, 1, "unexpected"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, found: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "net.prototxt")
    (problem,) = caught.value.problems
    assert problem.origin == f"net.prototxt:{line}"
    assert problem.found.startswith(found)
