"""A tree written as YAML reads back exactly; two trees differ where a leaf does."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path

import pytest

from framework.config.compose import ABSENT, difference, dump, load, load_file, recipes
from framework.config.compose.document import read

TEXTS = [
    "no", "Yes", "on", "y", "true", "null", "~", "", " ", "010", "0x1F", "1e-3", "1_000", "12:30:45", ".5", ".inf",
    "2024-01-31", "1.2.3", "- a", "a: b", "# c", "a # b", "'q'", '"q"', "${a}", "=f", "???", "?", "*a", "&a", "!t",
    "%d", "@x", "`x`", "[1]", "{a: 1}", "a\nb", "a\n", "\ttab", "trailing ", "é ∑ 字 🙂", "\x85", "\u2028", "\ufeff",
    "=", "<<", "a" * 300, "word " * 60,
]  # fmt: skip


def back(tree):
    Path("x.yaml").write_text(dump(tree), encoding="utf-8")
    return read(Path("x.yaml"), "x.yaml").value


@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_text_reads_back_as_text(text):
    tree = {"a": text, "b": [text, {"c": text}]}
    assert back(tree) == tree


@pytest.mark.parametrize("key", ["no", "010", "1e3", "null", "a: b", "<<", "???", "", "=", "é"], ids=repr)
def test_keys_read_back(key):
    assert back({"s": {key: 1}}) == {"s": {key: 1}}


def test_numbers_read_back_bit_by_bit():
    generator = random.Random(0)
    floats = [struct.unpack("d", generator.randbytes(8))[0] for _ in range(300)]
    floats += [0.0, -0.0, 1.0, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, 0.1, 1e16, 123456789.0]
    numbers = [value for value in floats if value == value]
    read_back = back({"a": numbers})["a"]
    assert [struct.pack("d", value) for value in read_back] == [struct.pack("d", value) for value in numbers]
    assert all(type(value) is float for value in read_back)
    assert math.isnan(back({"a": math.nan})["a"])


def test_integers_booleans_and_null_keep_their_type():
    tree = {"a": [0, -1, 2**40, True, False, None], "b": {}, "c": []}
    assert repr(back(tree)) == repr(tree)


def test_the_order_of_keys_is_kept_and_tuples_become_lists():
    assert dump({"z": 1, "a": (1, 2)}) == "z: 1\na:\n- 1\n- 2\n"


def test_a_value_in_two_places_is_written_twice():
    shared = [1, 2]
    assert "&" not in dump({"a": shared, "b": shared})


def test_what_yaml_has_no_word_for_is_refused():
    with pytest.raises(TypeError, match=r"of type object cannot be written"):
        dump({"a": object()})


@pytest.mark.parametrize("entry", recipes(), ids=lambda entry: entry.name)
def test_every_shipped_recipe_reads_back_to_the_same_config(entry):
    loaded = load(entry.identity)
    Path("config.yaml").write_text(dump(loaded.tree), encoding="utf-8")
    again = load_file("config.yaml")
    assert again.tree == loaded.tree
    assert again.config == loaded.config
    assert difference(loaded.tree, again.tree) == []


def test_the_difference_names_each_leaf_with_both_values():
    old = {"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": None}
    new = {"a": 2, "b": {"c": [1, 3], "f": 1}, "e": None}
    assert difference(old, new) == [
        ("a", 1, 2),
        ("b.c", [1, 2], [1, 3]),
        ("b.d", "x", ABSENT),
        ("b.f", ABSENT, 1),
    ]
    assert repr(ABSENT) == "(not set)"


def test_numbers_of_one_value_are_no_difference_but_booleans_are():
    assert difference({"a": 1, "b": math.nan, "c": [1.0]}, {"a": 1.0, "b": math.nan, "c": (1,)}) == []
    assert difference({"a": 1}, {"a": True}) == [("a", 1, True)]
    assert difference({"a": None}, {}) == [("a", None, ABSENT)]


def test_a_section_in_the_place_of_a_value_is_a_difference():
    assert difference({"a": None}, {"a": {"b": 1}}) == [("a", None, ABSENT), ("a.b", ABSENT, 1)]
