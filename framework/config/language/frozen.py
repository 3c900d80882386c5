"""Plain values made hashable: lists as tuples, mappings as `FrozenMapping`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class FrozenMapping:
    """An ordered, hashable mapping, kept as a tuple of (name, value).

    Two are equal only if their values have the same types too: 1, 1.0 and True are equal in Python, but an array
    multiplied by one of them is another array than one multiplied by another.
    """

    items: tuple[tuple[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The pairs as a dictionary, with nested mappings as dictionaries too."""
        return {name: _thawed(value) for name, value in self.items}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrozenMapping) and _typed(self.items) == _typed(other.items)

    def __hash__(self) -> int:
        return hash(self.items)


EMPTY = FrozenMapping()


def frozen(value: Any) -> Any:
    """The value with lists as tuples and mappings as `FrozenMapping`s, at any depth."""
    if isinstance(value, Mapping):
        return FrozenMapping(tuple((str(name), frozen(item)) for name, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value


def _thawed(value: Any) -> Any:
    if isinstance(value, FrozenMapping):
        return value.as_dict()
    if isinstance(value, tuple):
        return tuple(_thawed(item) for item in value)
    return value


def _typed(value: Any) -> Any:
    return tuple(_typed(item) for item in value) if isinstance(value, tuple) else (type(value), value)
