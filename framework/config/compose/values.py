"""From a YAML node tree to plain values, with the line of each key, refusing what YAML would silently take."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from framework.config.compose.bounded_loader import BoundedLoader
from framework.config.compose.paths import Parts, dotted
from framework.core.errors import Problem

_TAG = "tag:yaml.org,2002:"
_KINDS = {
    f"{_TAG}bool": "a boolean",
    f"{_TAG}int": "a whole number",
    f"{_TAG}float": "a number",
    f"{_TAG}null": "null",
}
_TAGS = {*_KINDS, f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq", f"{_TAG}merge"}
_MERGE = f"{_TAG}merge"


class Reader:
    """Makes plain values out of a node tree, noting lines and mistakes on the way.

    Attributes:
      lines: path -> line, counted from 1.
      texts: path of a boolean, number or null -> its text, where that is not how we would write it.
      problems: what was refused.
    """

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.lines: dict[Parts, int] = {}
        self.texts: dict[Parts, str] = {}
        self.problems: list[Problem] = []
        self._scalars = BoundedLoader("", shown)

    def value(self, node: Node, path: Parts) -> Any:
        """The value of a node that stands at a path."""
        if node.tag not in _TAGS:
            self._problem(
                path,
                node,
                f"the tag {_short(node.tag)} is not plain YAML",
                "mappings, lists, text, numbers, booleans, null",
                "remove the tag",
            )
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                self.lines[(*path, index)] = item.start_mark.line + 1
                items.append(self.value(item, (*path, index)))
            return items
        return self._scalar(node, path)

    def _scalar(self, node: Node, path: Parts) -> Any:
        try:
            value = self._scalars.construct_object(node)
        except (ValueError, KeyError, yaml.YAMLError):
            kind = _KINDS.get(node.tag, "a value")
            self._problem(
                path, node, f"'{node.value}' looks like {kind} but is none", kind, f"'{node.value}' in quotes, for text"
            )
            return None
        if node.tag in _KINDS and node.value not in (str(value), "true", "false", "null"):
            self.texts[path] = node.value
        return value

    def _mapping(self, node: MappingNode, path: Parts) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                values = self._merged(value_node, path)
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or key_node.tag not in (f"{_TAG}str", _MERGE):
                self._bad_key(key_node, path)
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in first:
                found = f"set twice, on line {first[key]} and on line {line}"
                self._problem((*path, key), key_node, found, "each key once", "keep one of the two lines")
                continue
            first[key] = line
            if key_node.tag != _MERGE:
                self.lines[(*path, key)] = line
                values[key] = self.value(value_node, (*path, key))
        return values

    def _merged(self, node: Node, path: Parts) -> dict[str, Any]:
        """What `<<: *anchor` or `<<: [*one, *two]` brings; of two, the earlier wins, and the own keys over both."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        result: dict[str, Any] = {}
        for source in reversed(sources):
            if not isinstance(source, MappingNode):
                self._problem(
                    path, node, "`<<` merges something that is no mapping", "an alias of a mapping", "remove the line"
                )
                return {}
            result.update(self._mapping(source, path))
        return result

    def _bad_key(self, node: Node, path: Parts) -> None:
        if isinstance(node, ScalarNode):
            found = f"the key {node.value} is read as {_KINDS.get(node.tag, 'no text')}"
            self._problem((*path, str(node.value)), node, found, "keys that are text", f"'{node.value}': in quotes")
        else:
            self._problem(
                path,
                node,
                "a key is itself a mapping or a list",
                "keys that are text",
                "write a plain word before the colon",
            )

    def _problem(self, path: Parts, node: Node, found: str, expected: str, fix: str) -> None:
        key = dotted(path) or self.shown
        origin = f"{self.shown}:{node.start_mark.line + 1}"
        self.problems.append(Problem(key, found, expected, origin, fix))


def _short(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
