"""Who set what: the origin of each key, and everything that was set before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from framework.config.compose.document import Document
from framework.config.compose.paths import Parts

DEFAULT = "default"
"""The origin of what nobody wrote."""

DELETED = "(deleted)"
"""Stands in a history for the removal of a key."""


@dataclass
class _Node:
    """A key. `origin` is None while nothing stands there; the settings stay, for the history."""

    origin: str | None = None
    written: str | None = None
    leaf: bool = False
    settings: list[tuple[str, Any]] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)

    def child(self, name: str | int) -> _Node:
        return self.children.setdefault(str(name), _Node())

    def copy(self) -> _Node:
        children = {name: child.copy() for name, child in self.children.items()}
        return _Node(self.origin, self.written, self.leaf, list(self.settings), children)

    def clear(self) -> None:
        for child in self.children.values():
            if child.origin is not None:
                child.clear()
        self.origin, self.written, self.leaf = None, None, False


class Ledger:
    """Follows a composition layer by layer, merging as OmegaConf does: mappings key by key, all else as a whole."""

    def __init__(self) -> None:
        self._root = _Node(origin=DEFAULT)

    def copy(self) -> Ledger:
        """One that goes on from here by itself."""
        other = Ledger()
        other._root = self._root.copy()
        return other

    @property
    def origins(self) -> dict[str, str]:
        """Dotted key of a leaf, a list's item or a section -> what last set it."""
        return {key: node.origin for key, node in _walk(self._root) if node.origin is not None}

    @property
    def history(self) -> dict[str, tuple[tuple[str, Any], ...]]:
        """Dotted key -> every (origin, value as written) that set it, first to last; also of keys no longer there."""
        return {key: tuple(node.settings) for key, node in _walk(self._root) if node.settings}

    @property
    def written(self) -> dict[str, str]:
        """Dotted key -> the text of a boolean, number or null, where it is not how we would write the value."""
        return {key: node.written for key, node in _walk(self._root) if node.written is not None}

    def file(self, document: Document, package: str, value: Any) -> None:
        """A config file, merged at a dotted package (empty: at the root)."""
        base = tuple(package.split(".")) if package else ()
        node = self._down(base, document.origin(), replace=True)
        _Merge(document.origin, document.texts, keeps=True).into(node, value, ())

    def override(self, key: str, value: Any, origin: str) -> None:
        """A value set by an override, or by other means than a file."""
        *sections, last = key.split(".")
        node = self._down(tuple(sections), origin, replace=False).child(last)
        _Merge(lambda _: origin, {}).into(node, value, ())

    def item(self, list_key: str, key: str, value: Any, origin: str) -> None:
        """An item of a list, or something inside it, set by an override; `value` is the whole list as it is now."""
        node = self._root
        for part in list_key.split("."):
            node = node.child(part)
        node.settings.append((origin, value))
        node.origin = origin
        for part in key.removeprefix(f"{list_key}.").split("."):
            node = node.child(part)
            node.origin = origin

    def delete(self, key: str, origin: str) -> None:
        """A key removed by an override."""
        node = self._root
        for part in key.split("."):
            node = node.child(part)
        node.clear()
        node.settings.append((origin, DELETED))

    def _down(self, path: tuple[str, ...], origin: str, *, replace: bool) -> _Node:
        node = self._root
        for part in path:
            node = node.child(part)
            if node.leaf:
                node.clear()
            if replace or node.origin is None:
                node.origin = origin
        return node


@dataclass(frozen=True)
class _Merge:
    origin: Callable[[Parts], str]
    texts: dict[Parts, str]
    keeps: bool = False

    def into(self, node: _Node, value: Any, path: Parts) -> None:
        if value == "???" and self.keeps and node.origin is not None:
            return  # OmegaConf: what must be given does not take the place of what is
        if isinstance(value, dict) and (value or _alive(node) or not path):
            if node.leaf:
                node.clear()
            if path or node.origin is None:
                node.origin = self.origin(path)
            for name, item in value.items():
                self.into(node.child(name), item, (*path, name))
            return
        node.clear()
        node.origin, node.leaf = self.origin(path), True
        node.written = self.texts.get(path)
        node.settings.append((node.origin, value))
        self._items(node, value, path)

    def _items(self, node: _Node, value: Any, path: Parts) -> None:
        inner = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        for part, item in inner:
            child = node.child(part)
            child.origin = self.origin((*path, part))
            child.written = self.texts.get((*path, part))
            self._items(child, item, (*path, part))


def _alive(node: _Node) -> bool:
    return not node.leaf and any(child.origin is not None for child in node.children.values())


def _walk(node: _Node, prefix: str = "") -> Iterator[tuple[str, _Node]]:
    for name, child in node.children.items():
        key = f"{prefix}{name}"
        yield key, child
        yield from _walk(child, f"{key}.")
