"""Key paths: dotted names such as `outputs.logits` or `batch.label` that wire losses, metrics and probes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """All leaves of nested mappings by dotted path, in order. An empty mapping is a leaf."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, path))
        else:
            flat[path] = value
    return flat


def varying(trees: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of flat trees whose values differ, or that some do not have, in order of appearance."""
    keys = dict.fromkeys(key for tree in trees for key in tree)
    return [key for key in keys if len({_text(tree[key]) if key in tree else "" for tree in trees}) > 1]


def lookup(tree: Mapping[str, Any], path: str, *, key: str) -> Any:
    """The value at `path` in nested mappings.

    Args:
      path: the dotted path, e.g. `outputs.logits`.
      key: the config key that holds the path, for the error.

    Raises:
      ConfigError: nothing stands at the path; the nearest path that exists is suggested.
    """
    node: Any = tree
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            known = list(flatten(tree))
            room = f"{path.partition('.')[0]}."
            beside = [other for other in known if other.startswith(room)]
            near = closest(path, known) or (beside[0] if len(beside) == 1 else None)
            raise ConfigError(
                Problem(
                    key=key,
                    found=f"nothing is called '{path}'",
                    expected=listed(known),
                    fix=f"{key}={near}" if near else None,
                )
            )
        node = node[part]
    return node


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
