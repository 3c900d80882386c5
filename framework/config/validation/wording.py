"""What was found and what was expected, in the words of YAML."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import annotated_types
from pydantic import BaseModel

from framework.config.schema.base import WireMark
from framework.config.validation.shapes import Shape
from framework.core.words import listed

_PLAIN = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
_SIGNS = (
    (annotated_types.Gt, "gt", ">"),
    (annotated_types.Ge, "ge", ">="),
    (annotated_types.Lt, "lt", "<"),
    (annotated_types.Le, "le", "<="),
)


def found(value: Any) -> str:
    """A value and its kind: `'five', text`, `true, a boolean`, `2.5, a number`, `a list`."""
    if isinstance(value, Mapping):
        return f"a mapping of {listed(value, 4)}" if value else "an empty mapping"
    if isinstance(value, str):
        return f"{_shortened(repr(value))}, text"
    if isinstance(value, Sequence):
        return f"the list {_shortened(as_override(value))}"
    if value is None:
        return "null"
    kind = "a boolean" if isinstance(value, bool) else "a whole number" if isinstance(value, int) else "a number"
    return f"{as_override(value)}, {kind}"


def expected(shape: Shape) -> str:
    """What may stand at a place: `a whole number > 0, or auto`, `one of min, max`, `a list of text`."""
    text = _expected(shape)
    return f"{text}, or null" if shape.nullable and text else text


def _expected(shape: Shape) -> str:
    if any(isinstance(mark, WireMark) for mark in shape.marks):
        return "a key path, such as outputs.logits or batch.label"
    if shape.types and not shape.model:
        return f"a mapping with a type out of {listed(shape.types, 20)}"
    if shape.model is not None:
        return f"a mapping of {listed(shape.model.model_fields, 20)}"
    if shape.options:
        return _either(shape)
    if shape.words:
        words = [as_override(word) for word in shape.words]
        return words[0] if len(words) == 1 else f"one of {listed(words, 20)}"
    if shape.places:
        return f"a list of {len(shape.places)}: {', '.join(map(_expected, shape.places))}"
    if shape.item is not None:
        kind = "a mapping from names to" if "dict" in str(shape.annotation)[:4].lower() else "a list of"
        lengths = _lengths(shape.marks)
        return f"{kind} {_expected(shape.item) or 'values'}{f', {lengths}' if lengths else ''}"
    plain = _PLAIN.get(shape.annotation, "")
    return " ".join(part for part in (plain, bounds(shape.marks), _lengths(shape.marks)) if part)


def _either(shape: Shape) -> str:
    words = [as_override(word) for option in shape.options for word in option.words]
    kinds = [
        text
        for option in shape.options
        if not option.words and (text := _expected(Shape(option.annotation, (*option.marks, *shape.marks))))
    ]
    kinds = list(dict.fromkeys(kinds))
    return ", or ".join(kinds + ([listed(words, 20)] if words else []))


def bounds(marks: Sequence[Any]) -> str:
    """`> 0`, `>= 0 and < 1`, or nothing."""
    parts = [
        f"{sign} {as_override(getattr(mark, attribute))}"
        for kind, attribute, sign in _SIGNS
        for mark in marks
        if isinstance(mark, kind)
    ]
    return " and ".join(dict.fromkeys(parts))


def _lengths(marks: Sequence[Any]) -> str:
    least = max((mark.min_length for mark in marks if isinstance(mark, annotated_types.MinLen)), default=0)
    most = min((mark.max_length for mark in marks if isinstance(mark, annotated_types.MaxLen)), default=None)
    if most is not None and least == most:
        return f"of length {most}"
    if most is not None:
        return f"{least} to {most} of them" if least else f"at most {most} of them"
    return "not empty" if least == 1 else f"at least {least} of them" if least else ""


def placeholder(shape: Shape | None) -> str:
    """What to write where no value can be proposed: `<a number > 0>`."""
    if shape is None:
        return "<a value>"
    if shape.options and not shape.types:
        return placeholder(shape.options[0])
    return f"<{_expected(shape) or 'a value'}>"


def nearest(value: int | float, shape: Shape) -> str | None:
    """The closest value within inclusive bounds, or for whole numbers within any; None where there is none to name."""
    shapes = [shape, *shape.options]
    whole = any(part.annotation is int for part in shapes)
    for mark in (mark for part in shapes for mark in part.marks):
        if isinstance(mark, annotated_types.Ge) and value < mark.ge:  # type: ignore[operator]
            return as_override(mark.ge)
        if isinstance(mark, annotated_types.Le) and value > mark.le:  # type: ignore[operator]
            return as_override(mark.le)
        if isinstance(mark, annotated_types.Gt) and value <= mark.gt and whole:  # type: ignore[operator]
            return as_override(mark.gt + 1)  # type: ignore[operator]
        if isinstance(mark, annotated_types.Lt) and value >= mark.lt and whole:  # type: ignore[operator]
            return as_override(mark.lt - 1)  # type: ignore[operator]
    return None


def default_of(shape: Shape) -> Any:
    """The default of the field at a place, as plain values; `...` where it has none."""
    if shape.field is None or shape.field.is_required():
        return ...
    value = shape.field.get_default(call_default_factory=True, validated_data={})
    return value.model_dump() if isinstance(value, BaseModel) else value


def as_override(value: Any) -> str:
    """A value as an override spells it: null, true, [1, 2], text without quotes where it needs none."""
    if isinstance(value, str):
        plain = value.replace("_", "").replace("-", "").replace(".", "").replace("/", "")
        reads_as_text = (
            plain.isalnum() and plain.isascii() and value.lower() not in _READ_OTHERWISE and not _number(value)
        )
        return value if reads_as_text else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:g}" if math.isfinite(value) and float(f"{value:g}") == value else str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {as_override(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_override, value)) + "]"
    return json.dumps(value) if value is None or isinstance(value, bool | int) else str(value)


_READ_OTHERWISE = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", ""}


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
