"""Overrides that set, add or delete values, applied to a plain tree as Hydra applies them to its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from framework.config.compose.origins import Ledger
from framework.config.compose.overrides import Word
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest


def apply(tree: dict[str, Any], words: Sequence[Word], ledger: Ledger) -> None:
    """Change a tree by overrides in their order, and note who did it.

    A mapping is merged into a mapping; everything else replaces what was there. Sections on the way are made where
    they are missing.

    Raises:
      ConfigError: `~` deletes what is not there, `+` adds what is, or an index lies outside its list. All at once.
    """
    problems = []
    for word in words:
        if word.kind in ("set", "add"):
            problem = _set(tree, word, ledger)
        elif word.kind == "delete":
            problem = _delete(tree, word, ledger)
        else:
            continue
        if problem:
            problems.append(problem)
    if problems:
        raise ConfigError(problems)


def _set(tree: dict[str, Any], word: Word, ledger: Ledger) -> Problem | None:
    value = plain(word.parsed.value())
    *sections, last = word.key.split(".")
    node: Any = tree
    for depth, name in enumerate(sections):
        if isinstance(node, list):
            if not _inside(node, name):
                return _outside(word, node, ".".join(sections[:depth]))
            node = node[int(name)]
            continue
        inner = node.get(name)
        if not isinstance(inner, dict | list):
            inner = node[name] = {}
        node = inner
    if isinstance(node, list):
        if not _inside(node, last):
            return _outside(word, node, ".".join(sections))
        node[int(last)] = value
    else:
        old = node.get(last)
        if word.kind == "add" and old is not None and not isinstance(value, dict | list):
            fix = word.text.removeprefix("+")
            return Problem(
                word.key, "is set already, so + cannot add it", "+ for keys that are not set", word.origin, fix
            )
        _merge(node, last, value)
    list_key = _list_around(tree, word.key)
    if list_key:
        ledger.item(list_key, word.key, copy.deepcopy(_at(tree, list_key)), word.origin)
    else:
        ledger.override(word.key, value, word.origin)
    return None


def _delete(tree: dict[str, Any], word: Word, ledger: Ledger) -> Problem | None:
    section, _, last = word.key.rpartition(".")
    try:
        node = _at(tree, section)
        old = node[int(last)] if isinstance(node, list) else node[last]
    except (KeyError, ValueError, IndexError, TypeError):
        known = list(_keys(tree))
        near = closest(word.key, known)
        expected = f"a key that is set, such as {near}" if near else "a key that is set"
        fix = f"~{near}" if near else f"leave out {word.text}"
        return Problem(word.key, "cannot be deleted: no such key is set", expected, word.origin, fix)
    value = plain(word.parsed.value()) if "=" in word.text else None
    if value is not None and value != old:
        given = word.text.partition("=")[2]
        return Problem(word.key, f"its value is not {given}", "the value that is set", word.origin, f"~{word.key}")
    if isinstance(node, list):
        del node[int(last)]
        ledger.override(section, list(node), word.origin)
    else:
        del node[last]
        ledger.delete(word.key, word.origin)
    return None


def plain(value: Any) -> Any:
    """A value of an override as plain Python: keys that are text, lists and mappings of its own."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _merge(node: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, dict) and isinstance(node.get(name), dict):
        for key, item in value.items():
            _merge(node[name], key, item)
    else:
        node[name] = copy.deepcopy(value)


def _inside(node: list[Any], name: str) -> bool:
    return name.isdigit() and int(name) < len(node)


def _outside(word: Word, node: list[Any], key: str) -> Problem:
    found = f"the list {key} has no place '{word.key.removeprefix(key).strip('.').split('.')[0]}'"
    expected = f"an index from 0 to {len(node) - 1}" if node else "an index, but the list is empty"
    return Problem(word.key, found, expected, word.origin, f"{key}=[...] sets the whole list")


def _at(tree: Any, key: str) -> Any:
    for part in key.split(".") if key else ():
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    return tree


def _list_around(tree: Any, key: str) -> str | None:
    """The key of the outermost list that a key leads through."""
    parts = key.split(".")
    for depth in range(1, len(parts)):
        if isinstance(_at(tree, ".".join(parts[:depth])), list):
            return ".".join(parts[:depth])
    return None


def _keys(tree: Any, prefix: str = "") -> Iterator[str]:
    """Every key of a tree, sections included."""
    for name, value in tree.items() if isinstance(tree, dict) else ():
        yield f"{prefix}{name}"
        yield from _keys(value, f"{prefix}{name}.")
