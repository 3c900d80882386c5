"""What a schema class says of its fields, in words: kind, default, bounds, description."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import get_annotations
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from framework.config.schema.base import Spec, TracedMark, WireMark, has_mark
from framework.inspect.yaml_text import scalar

_PLAIN = {int: "int", float: "float", bool: "bool", str: "str", type(None): "null", Any: "any", object: "any"}


@dataclass(frozen=True)
class Argument:
    """One field of a schema class.

    Attributes:
      name: as YAML writes it.
      kind: its type in words, e.g. `int or null`.
      default: as YAML writes it; `required` where there is none.
      bounds: `> 0`, `[0, 1)`, or nothing.
      traced: the compiled program takes it as an input, so that changing it compiles nothing anew.
      wired: it holds a key path into batch, outputs, intermediates or params.
      description: one line.
    """

    name: str
    kind: str
    default: str
    bounds: str
    traced: bool
    wired: bool
    description: str

    def rule(self) -> str:
        """Kind, bounds, default and mark on one line."""
        default = self.default if self.default == "required" else f"default {self.default}"
        return ", ".join(part for part in (self.bounded_kind, default, "traced" if self.traced else "") if part)

    def remark(self) -> str:
        """The rule and the description on one line."""
        return f"{self.rule()}: {self.description}" if self.description else self.rule()

    @property
    def bounded_kind(self) -> str:
        """Kind and bounds, e.g. `int > 0 or null`."""
        if not self.bounds:
            return self.kind
        kind, null, _ = self.kind.partition(" or null")
        return f"{kind} {self.bounds}{null}"


def arguments(schema: type[Spec]) -> tuple[Argument, ...]:
    """All fields of a schema class but `type`: first what is required, then its own, then what it shares."""
    fields = [(name, field) for name, field in schema.model_fields.items() if name != "type"]
    fields.sort(key=lambda item: (not item[1].is_required(), _distance(schema, item[0])))
    return tuple(describe(name, field) for name, field in fields)


def _distance(schema: type[Spec], name: str) -> int:
    """How far up the bases the class stands that declares a field last."""
    return next(i for i, base in enumerate(schema.__mro__) if name in get_annotations(base))


def describe(name: str, field: FieldInfo) -> Argument:
    """One field in words."""
    return Argument(
        name=name,
        kind="key path" if any(isinstance(mark, WireMark) for mark in field.metadata) else kind_of(field.annotation),
        default=_default(field),
        bounds=bounds_of(field),
        traced=has_mark(field, TracedMark),
        wired=has_mark(field, WireMark),
        description=field.description or "",
    )


def kind_of(annotation: Any) -> str:
    """A type in the words of YAML."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return "key path" if any(isinstance(mark, WireMark) for mark in parts[1:]) else kind_of(parts[0])
    if origin is Literal:
        return " | ".join(scalar(part) for part in parts)
    if origin in (Union, types.UnionType):
        return _union(parts)
    if origin in (tuple, list, Sequence) or annotation in (tuple, list):
        if not parts:
            return "list"
        inner = [kind_of(part) for part in parts if part is not Ellipsis]
        return f"list of {inner[0]}" if Ellipsis in parts or origin is not tuple else f"[{', '.join(inner)}]"
    if origin in (dict, Mapping) or annotation in (dict, Mapping):
        return f"mapping of {kind_of(parts[1])}" if parts else "mapping"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return getattr(annotation, "__name__", str(annotation))


def _type_word(annotation: Any) -> str:
    """What YAML calls a section that is told apart by `type`; nothing for others."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and "type" in annotation.model_fields:
        words = get_args(annotation.model_fields["type"].annotation)
        return str(words[0]) if words else ""
    return ""


def _union(parts: tuple[Any, ...]) -> str:
    types = [_type_word(part) for part in parts]
    if all(types):
        return f"section with type: {' | '.join(types)}"
    kinds = list(dict.fromkeys(kind_of(part) for part in parts))
    if "null" in kinds:
        kinds = [kind for kind in kinds if kind != "null"] + ["null"]
    if kinds[:2] == ["int", "float"]:
        kinds = kinds[1:]
    return " or ".join(kinds)


def bounds_of(field: FieldInfo) -> str:
    """The interval or length that a field's value must lie in, e.g. `> 0` or `[0, 1)`."""
    lower = upper = ""
    lower_sign = upper_sign = ""
    lengths = []
    for mark in _marks(field.metadata, field.annotation):
        if isinstance(mark, annotated_types.Gt | annotated_types.Ge) and not lower:
            strict = isinstance(mark, annotated_types.Gt)
            lower, lower_sign = f"{mark.gt if strict else mark.ge}", ">" if strict else ">="  # type: ignore[union-attr]
        elif isinstance(mark, annotated_types.Lt | annotated_types.Le) and not upper:
            strict = isinstance(mark, annotated_types.Lt)
            upper, upper_sign = f"{mark.lt if strict else mark.le}", "<" if strict else "<="  # type: ignore[union-attr]
        elif isinstance(mark, annotated_types.MinLen) and mark.min_length > 0:
            lengths.append(f"at least {mark.min_length} long" if mark.min_length > 1 else "not empty")
        elif isinstance(mark, annotated_types.MaxLen):
            lengths.append(f"at most {mark.max_length} long")
    if lower and upper:
        interval = f"{'(' if lower_sign == '>' else '['}{lower}, {upper}{')' if upper_sign == '<' else ']'}"
    else:
        interval = f"{lower_sign} {lower}".strip() or f"{upper_sign} {upper}".strip()
    return ", ".join(part for part in (interval, *lengths) if part)


def _marks(metadata: Sequence[Any], annotation: Any) -> Iterator[Any]:
    """Every mark on a field, also on the branches of a union such as `Annotated[int, Field(gt=0)] | None`."""
    for mark in metadata:
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _marks(parts[1:], parts[0])
    elif origin in (Union, types.UnionType):
        for part in parts:
            yield from _marks((), part)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return scalar(_short(field.get_default(call_default_factory=True)))  # type: ignore[call-arg]


def _short(value: Any) -> Any:
    """A section with only what its author set."""
    if isinstance(value, BaseModel):
        said = value.model_fields_set | {"type"}
        return {name: _short(getattr(value, name)) for name in type(value).model_fields if name in said}
    return value
