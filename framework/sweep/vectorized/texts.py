"""The recipes of many members as YAML, where writing each anew would take longer than training it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.config.compose import dump
from framework.core.keypaths import flatten

_MARK = "SWEPT{}TPEWS"
_PLAIN = (int, float, bool, str, type(None))


class Texts:
    """Gives the text of `dump` for recipes that differ in few values: one of them is written, the others filled in."""

    def __init__(self) -> None:
        self._first: dict[str, Any] | None = None
        self._templates: dict[tuple[str, ...], str | None] = {}
        self._values: dict[tuple[type, Any], str] = {}

    def text(self, tree: Mapping[str, Any]) -> str:
        """The recipe as YAML."""
        flat = flatten(tree)
        if self._first is None or list(flat) != list(self._first):
            self._first, self._templates = flat, {}
            return dump(tree)
        differing = tuple(key for key, value in flat.items() if _differs(value, self._first[key]))
        if not all(isinstance(flat[key], _PLAIN) for key in differing):
            return dump(tree)
        if differing not in self._templates:
            self._templates[differing] = _template(tree, differing)
        template = self._templates[differing]
        if template is None:
            return dump(tree)
        for number, key in enumerate(differing):
            template = template.replace(_MARK.format(number), self._written(flat[key]))
        return template

    def _written(self, value: Any) -> str:
        kind = (type(value), value)
        if kind not in self._values:
            self._values[kind] = dump({"value": value}).removeprefix("value: ").removesuffix("\n")
        return self._values[kind]


def _differs(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or one != other


def _template(tree: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """The YAML with a mark for each key; None where a mark would not stand for one value alone."""
    marked = _copied(tree)
    for number, key in enumerate(keys):
        *above, last = key.split(".")
        section = marked
        for name in above:
            section = section.get(name) if isinstance(section, dict) else None
        if not isinstance(section, dict) or last not in section:
            return None
        section[last] = _MARK.format(number)
    text = dump(marked)
    return text if all(text.count(_MARK.format(number)) == 1 for number in range(len(keys))) else None


def _copied(tree: Any) -> Any:
    return {key: _copied(value) for key, value in tree.items()} if isinstance(tree, Mapping) else tree
