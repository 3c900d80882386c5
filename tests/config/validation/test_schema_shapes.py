"""Validation against a small schema of the tests' own: what was expected is said in words, and near keys are found."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from framework.config.schema.base import Component, CrossFieldError, KeyPath, Number, Spec, Traced
from framework.config.validation.problems import Translator
from framework.config.validation.shapes import all_keys, field_shape, shape_of, step
from framework.config.validation.wording import as_override, expected, found, nearest
from framework.core.errors import Problem


class Circle(Component):
    """Round."""

    type: Literal["circle"]
    radius: Number = Field(gt=0)


class Square(Component):
    """Not round."""

    type: Literal["square"]
    side: Traced = Field(1.0, ge=0, le=9)
    corners: Literal["sharp", "round"] = "sharp"


class Group(Spec):
    shapes: tuple[Annotated[Circle | Square, Field(discriminator="type")], ...] = ()
    low: int = 0
    high: int = 1

    @model_validator(mode="after")
    def _ordered(self) -> Group:
        if self.low > self.high:
            raise CrossFieldError(
                Problem("low", f"{self.low} lies above high", "low <= high", fix="low=0"), Problem("high", "too low")
            )
        if self.high > 100:
            raise ValueError("high: beyond what can be drawn")
        if self.high < 0:
            raise ValueError("low and high must not be negative")
        return self


class Picture(Spec):
    main: Annotated[Circle | Square, Field(discriminator="type")]
    named: dict[str, Annotated[Circle | Square, Field(discriminator="type")]] = Field(default_factory=dict)
    group: Group = Group()
    size: Annotated[int, Field(gt=0)] | Literal["auto"] = "auto"
    wire: KeyPath = "batch.image"
    pair: tuple[int, int] | None = None
    words: tuple[Annotated[str, Field(min_length=1)], ...] = Field((), max_length=2)


GOOD: dict[str, Any] = {"main": {"type": "square"}}


def told(tree: dict[str, Any], written: dict[str, str] | None = None) -> dict[str, Problem]:
    with pytest.raises(ValidationError) as caught:
        Picture.model_validate(tree)
    translator = Translator(Picture, tree, origins={}, written=written or {}, groups={"main": ["big", "small"]})
    return {problem.key: problem for problem in translator.problems(caught.value)}


WRONG = {
    "an item of a list of components": (
        {"group": {"shapes": ({"type": "square"}, {"type": "circle"})}},
        "group.shapes.1.radius",
        "the required setting 'radius' is missing",
        "a number > 0",
        "group.shapes.1.radius=<a number > 0>",
    ),
    "an unknown type in a list": (
        {"group": {"shapes": ({"type": "squar"},)}},
        "group.shapes.0.type",
        "unknown value 'squar'",
        "circle, square",
        "group.shapes.0.type=square",
    ),
    "a named component": (
        {"named": {"a": {"type": "square", "radius": 2}}},
        "named.a.radius",
        "type square has no setting 'radius'",
        "type, side, corners\nradius is a setting of circle",
        "~named.a.radius",
    ),
    "a type that only the settings tell": (
        {"named": {"a": {"side": 2.0}}},
        "named.a.type",
        "the required setting 'type' is missing",
        "circle, square",
        "named.a.type=square",
    ),
    "a bound of a traced number": (
        {"main": {"type": "square", "side": 9.5}},
        "main.side",
        "9.5 is out of range",
        "a number >= 0 and <= 9",
        "main.side=9",
    ),
    "a word": (
        {"main": {"type": "square", "corners": "rond"}},
        "main.corners",
        "unknown value 'rond'",
        "one of sharp, round",
        "main.corners=round",
    ),
    "a number or a word": (
        {"size": 2.5},
        "size",
        "found 2.5, a number",
        "a whole number > 0, or auto",
        "size=auto (the default)",
    ),
    "a pair of three": (
        {"pair": (1, 2, 3)},
        "pair",
        "found the list [1, 2, 3]",
        "a list of 2: a whole number, a whole number, or null",
        None,
    ),
    "a key path": (
        {"wire": "a..b"},
        "wire",
        "'a..b', text, is no key path",
        "a key path, such as outputs.logits or batch.label",
        "wire=batch.image (the default)",
    ),
    "too many words": (
        {"words": ("a", "b", "c")},
        "words",
        "found the list [a, b, c]",
        "a list of text not empty, at most 2 of them",
        "words=[] (the default)",
    ),
    "a section that is missing": (
        {"main": None},
        "main",
        "found null",
        "a mapping with a type out of circle, square",
        None,
    ),
    "a key of an inner section": (
        {"low": 3},
        "low",
        "unknown key 'low'",
        "main, named, group, size, wire, pair, words",
        "group.low=3",
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_a_mistake_is_told_in_words(case):
    change, key, what, expectation, fix = WRONG[case]
    problems = told(GOOD | change)
    assert list(problems) == [key]
    assert (problems[key].found, problems[key].expected) == (what, expectation)
    assert fix is None or problems[key].fix == fix


def test_a_missing_section_names_its_groups_options():
    (problem,) = told({}).values()
    assert (problem.key, problem.found, problem.fix) == ("main", "nothing is chosen", "main=<one of big, small>")


def test_a_validator_may_tell_several_problems():
    problems = told(GOOD | {"group": {"low": 3, "high": 2}})
    assert problems["group.low"].fix == "low=0"
    assert problems["group.high"].found == "too low"


def test_a_message_that_begins_with_a_key_is_about_that_key():
    assert told(GOOD | {"group": {"high": 101}})["group.high"].found == "beyond what can be drawn"


def test_another_message_is_about_the_section_and_names_the_keys_it_mentions():
    problem = told(GOOD | {"group": {"low": -2, "high": -1}})["group"]
    assert problem.found == "low and high must not be negative"
    assert problem.fix == "change group.low, group.high"


def test_every_problem_is_told_at_once():
    tree = {"main": {"type": "square", "side": "wide"}, "size": 0, "extra": 1, "named": {"a": {"type": "circle"}}}
    assert set(told(tree)) == {"main.side", "size", "extra", "named.a.radius"}


def test_the_text_as_written_is_shown_where_the_value_does_not_show_it():
    problem = told(GOOD | {"wire": False}, {"wire": "off"})["wire"]
    assert problem.found == "found false, a boolean, written off"
    assert problem.fix == "wire=\"'off'\""


SPELLED = {
    "plain": "plain", "with space": "'with space'", "it's": "'it\\'s'", "5": "'5'", "true": "'true'", "": "''",
    "a/b-c.d_e": "a/b-c.d_e", "1e-3": "'1e-3'",
}  # fmt: skip


@pytest.mark.parametrize("text", SPELLED, ids=repr)
def test_text_is_spelled_so_that_an_override_reads_it_back(text):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    assert as_override(text) == SPELLED[text]
    assert OverridesParser.create().parse_override(f"a={as_override(text)}").value() == text


@pytest.mark.parametrize("value", [None, True, 3, 0.1, 1e-5, 1e20, [1, "a b"], {"a": [None, False]}], ids=repr)
def test_values_are_spelled_so_that_an_override_reads_them_back(value):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    assert OverridesParser.create().parse_override(f"a={as_override(value)}").value() == value


def test_what_was_found_is_said_with_its_kind():
    values = [None, True, 3, 0.5, "x", [1, 2], {}, {"a": 1, "b": 2}]
    assert [found(value) for value in values] == [
        "null",
        "true, a boolean",
        "3, a whole number",
        "0.5, a number",
        "'x', text",
        "the list [1, 2]",
        "an empty mapping",
        "a mapping of a, b",
    ]


def test_the_shape_of_a_place_is_found_along_its_key():
    tree = {"named": {"a": {"type": "square"}}}
    shape, value = shape_of(Picture), tree
    for part in ("named", "a", "side"):
        shape = step(shape, part, value)
        value = value.get(part) if isinstance(value, dict) else None
    assert expected(shape) == "a number >= 0 and <= 9"
    assert step(shape_of(Picture), "nothing", tree) is None


def test_the_nearest_value_within_bounds_is_named_where_there_is_one():
    side = field_shape(Square.model_fields["side"])
    assert (nearest(-1, side), nearest(10.5, side)) == ("0", "9")
    assert nearest(0, field_shape(Circle.model_fields["radius"])) is None
    assert nearest(-4, field_shape(Picture.model_fields["size"])) == "1"


def test_all_keys_are_listed_with_the_type_they_belong_to():
    keys = all_keys(Picture)
    assert ("main.radius", "circle") in keys
    assert ("named.<name>.side", "square") in keys
    assert ("group.low", None) in keys
