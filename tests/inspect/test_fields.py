"""What the schema classes say of themselves in words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from framework.config.schema.base import Component, KeyPath, Number, Spec, Traced
from framework.inspect.fields import arguments, bounds_of, kind_of
from framework.inspect.yaml_text import scalar

Positive = Annotated[int, Field(gt=0)]


class Left(Component):
    """The left one."""

    type: Literal["left"]


class Right(Component):
    """The right one."""

    type: Literal["right"]


class Shared(Spec):
    """What samples share."""

    shared: bool = True


class Sample(Shared):
    """One field of each kind."""

    optional: Positive | None = Field(None, description="how many")
    rate: Traced = Field(0.5, ge=0, lt=1)
    wire: KeyPath = "batch.label"
    side: Annotated[Left | Right, Field(discriminator="type")] = Left(type="left")
    needed: int


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "int"),
        (Any, "any"),
        (int | None, "int or null"),
        (None | int | str, "int or str or null"),
        (Literal["a", "b"], "a | b"),
        (Literal["auto"] | Positive, "auto or int"),
        (tuple[int, ...], "list of int"),
        (tuple[int, float], "[int, float]"),
        (dict[str, KeyPath], "mapping of key path"),
        (dict[str, Any], "mapping of any"),
        (Number, "float"),
        (Left | Right, "section with type: left | right"),
        (Shared, "section"),
    ],
)
def test_a_type_is_told_in_the_words_of_yaml(annotation: Any, words: str) -> None:
    assert kind_of(annotation) == words


@pytest.mark.parametrize(
    ("annotation", "default", "words"),
    [
        (int, Field(1, gt=0), "> 0"),
        (int, Field(1, le=9), "<= 9"),
        (float, Field(0.5, ge=0, lt=1), "[0, 1)"),
        (float, Field(0.5, gt=0, le=1), "(0, 1]"),
        (Positive | None, None, "> 0"),
        (tuple[int, ...], Field((1,), min_length=1), "not empty"),
        (tuple[int, ...], Field((1,), min_length=2, max_length=3), "at least 2 long, at most 3 long"),
        (str, "", ""),
    ],
)
def test_bounds_are_told_as_an_interval_or_a_length(annotation: Any, default: Any, words: str) -> None:
    made = type("Made", (Spec,), {"__annotations__": {"x": annotation}, "x": default})
    assert bounds_of(made.model_fields["x"]) == words


def test_what_is_required_comes_first_and_what_is_shared_last() -> None:
    assert [argument.name for argument in arguments(Sample)] == ["needed", "optional", "rate", "wire", "side", "shared"]


def test_an_argument_is_told_on_one_line() -> None:
    rules = {argument.name: argument.rule() for argument in arguments(Sample)}
    assert rules == {
        "needed": "int, required",
        "optional": "int > 0 or null, default null",
        "rate": "float [0, 1), default 0.5, traced",
        "wire": "key path, default batch.label",
        "side": "section with type: left | right, default {type: left}",
        "shared": "bool, default true",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("text", "text"),
        ("a: b", "'a: b'"),
        ("", "''"),
        ((1, 2), "[1, 2]"),
        ({"a": {"b": (1,)}}, "{a: {b: [1]}}"),
        (0.001, "0.001"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_value_is_written_as_yaml_on_one_line(value: Any, text: str) -> None:
    assert scalar(value) == text
