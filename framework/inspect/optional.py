"""What a key could hold that is null: the section that it stands for, and the override that switches it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from framework.config.schema.base import Spec
from framework.inspect.fields import Argument, arguments, kind_of


@dataclass(frozen=True)
class Possible:
    """A section that could stand where null stands.

    Attributes:
      summary: the first line of what its schema says.
      members: its fields, with their rules.
      override: what one types to have it: all that is required, in capitals what only the user knows; else the first
        field at its default, by which the others get theirs.
    """

    summary: str
    members: tuple[Argument, ...]
    override: str


def possible_sections(schema: type[Spec], field: str, key: str) -> tuple[Possible, ...]:
    """The sections that a field may hold besides null; none where it may not be null.

    Args:
      key: the dotted key of the field in the recipe.
    """
    annotation = schema.model_fields[field].annotation
    if "null" not in kind_of(annotation).split(" or "):
        return ()
    return tuple(_possible(section, key) for section in _sections(annotation))


def _sections(annotation: Any) -> Iterator[type[Spec]]:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
        return
    for part in get_args(annotation):
        yield from _sections(part)


def _possible(section: type[Spec], key: str) -> Possible:
    members = arguments(section)
    word = section.model_fields.get("type")
    chosen = [f"{key}.type={get_args(word.annotation)[0]}"] if word is not None else []
    required = [f"{key}.{member.name}={member.name.upper()}" for member in members if member.default == "required"]
    first = [f"{key}.{member.name}={member.default}" for member in members[:1]]
    doc = (section.__doc__ or "").strip().splitlines()
    return Possible(doc[0] if doc else "", members, " ".join([*chosen, *required] or first))
