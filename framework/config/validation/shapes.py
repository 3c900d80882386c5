"""The shape of the schema, read off its annotations: which keys a section knows, which types a component has."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

NAME = "<name>"
"""Stands in a key for a name that the recipe is free to choose, as in `losses.<name>.weight`."""


@dataclass(frozen=True)
class Shape:
    """What may stand at a place of a recipe.

    Attributes:
      annotation: the type, without `Annotated` and without `| None`.
      marks: bounds and other metadata around it.
      nullable: whether null may stand there.
      field: the field of the schema that it belongs to, where it is one.
    """

    annotation: Any
    marks: tuple[Any, ...] = ()
    nullable: bool = False
    field: FieldInfo | None = None

    @property
    def model(self) -> type[BaseModel] | None:
        """The section's class, where the place holds a section of one kind."""
        return self.annotation if isinstance(self.annotation, type) and issubclass(self.annotation, BaseModel) else None

    @property
    def options(self) -> tuple[Shape, ...]:
        """The branches of a union; empty where it is none."""
        if get_origin(self.annotation) not in (Union, types.UnionType):
            return ()
        return tuple(shape_of(option) for option in get_args(self.annotation))

    @property
    def types(self) -> dict[str, type[BaseModel]]:
        """`type` -> class, where the place holds a component that is told apart by its `type`."""
        models = [option.model for option in self.options]
        if not models or not all(model is not None and "type" in model.model_fields for model in models):
            return dict.fromkeys(_type_words(self.model), self.model) if self.model is not None else {}
        return {word: model for model in models if model is not None for word in _type_words(model)}

    @property
    def words(self) -> tuple[Any, ...]:
        """The values of a `Literal`, also of one that is a branch of a union."""
        if get_origin(self.annotation) is Literal:
            return get_args(self.annotation)
        return tuple(word for option in self.options for word in option.words)

    @property
    def item(self) -> Shape | None:
        """What stands under each key of a mapping with free names, or at each place of a list."""
        origin, parts = get_origin(self.annotation), get_args(self.annotation)
        if origin in (dict, Mapping) and len(parts) == 2:
            return shape_of(parts[1])
        return shape_of(parts[0]) if origin in (tuple, list, Sequence) and parts else None

    @property
    def places(self) -> tuple[Shape, ...]:
        """What stands at each place of a list of fixed length; empty where the length is free."""
        parts = get_args(self.annotation) if get_origin(self.annotation) is tuple else ()
        return () if Ellipsis in parts else tuple(shape_of(part) for part in parts)

    def fields(self, type_word: Any = None) -> dict[str, FieldInfo]:
        """The fields of the section that stands here; of a component, those of the given type."""
        model = self.types.get(type_word) if self.types and not self.model else self.model
        return dict(model.model_fields) if model else {}


def shape_of(annotation: Any, field: FieldInfo | None = None) -> Shape:
    """The shape of an annotation, or of a field."""
    marks: tuple[Any, ...] = tuple(field.metadata) if field else ()
    nullable = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *outer = get_args(annotation)
            marks += tuple(
                mark for item in outer for mark in (item.metadata if isinstance(item, FieldInfo) else (item,))
            )
        elif get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation):
            rest = tuple(part for part in get_args(annotation) if part is not type(None))
            nullable, annotation = True, Union[rest]  # noqa: UP007
        else:
            return Shape(annotation, marks, nullable or annotation is type(None), field)


def field_shape(field: FieldInfo) -> Shape:
    """The shape of a schema class's field."""
    return shape_of(field.annotation, field)


def step(shape: Shape, part: str | int, value: Any) -> Shape | None:
    """The shape one key further in; `value` is what stands at `shape` in the recipe. None where the schema ends."""
    if isinstance(part, int) and part < len(shape.places):
        return shape.places[part]
    if isinstance(part, int) or not (shape.model or shape.types):
        if shape.item is not None:
            return shape.item
        branches = [inner for option in shape.options if (inner := step(option, part, value)) is not None]
        return branches[0] if branches else None
    word = value.get("type") if isinstance(value, Mapping) else None
    field = shape.fields(word).get(str(part))
    return field_shape(field) if field is not None else None


def _type_words(model: type[BaseModel] | None) -> tuple[str, ...]:
    field = model.model_fields.get("type") if model else None
    return get_args(field.annotation) if field is not None and get_origin(field.annotation) is Literal else ()


@cache
def all_keys(root: type[BaseModel]) -> tuple[tuple[str, str | None], ...]:
    """Every key of a schema with the `type` of the component that it belongs to, if any; free names as `<name>`."""
    return tuple(_keys(shape_of(root), "", None))


def _keys(shape: Shape, prefix: str, type_word: str | None) -> Iterator[tuple[str, str | None]]:
    if shape.model is not None:
        for name, field in shape.model.model_fields.items():
            yield f"{prefix}{name}", type_word
            yield from _keys(field_shape(field), f"{prefix}{name}.", type_word)
    elif shape.types:
        for word, model in shape.types.items():
            yield from _keys(Shape(model), prefix, word)
    elif get_origin(shape.annotation) is dict and shape.item is not None:
        yield from _keys(shape.item, f"{prefix}{NAME}.", type_word)
