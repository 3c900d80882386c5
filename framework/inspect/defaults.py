"""What the schema fills in where a recipe says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def with_defaults(tree: Mapping[str, Any], config: Any) -> dict[str, Any]:
    """A resolved tree with every field that it leaves out, at the value that the validated config has.

    Keys of the tree keep their order and come first.
    """
    fields = _fields(config)
    merged: dict[str, Any] = {}
    for name, value in tree.items():
        inner = fields.get(name)
        merged[name] = with_defaults(value, inner) if isinstance(value, Mapping) and _fields(inner) else value
    for name, value in fields.items():
        if name not in merged:
            merged[name] = with_defaults({}, value) if _fields(value) else plain(value)
    return merged


def _fields(value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    return dict(value) if isinstance(value, Mapping) else {}


def plain(value: Any) -> Any:
    """A value of the config with its sections as mappings and its tuples as lists."""
    if isinstance(value, BaseModel | Mapping):
        return {name: plain(item) for name, item in _fields(value).items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value
