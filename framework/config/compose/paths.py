"""Paths through a tree: their parts, and the dotted key that errors and origins use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Parts = tuple[str | int, ...]
"""Keys and indices from the root of a tree."""


def split(key: str) -> Parts:
    """`a.b[0].c` -> ("a", "b", "0", "c")."""
    return tuple(part for part in key.replace("[", ".").replace("]", "").split(".") if part)


def dotted(path: Parts) -> str:
    """A path as one dotted key."""
    return ".".join(str(part) for part in path)


def leaves(value: Any, path: Parts = ()) -> Iterator[tuple[Parts, Any]]:
    """Every scalar of a tree, and every empty mapping or list, with its path."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value
