"""A resolved recipe as YAML, line by line, each leaf with who set it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from framework.config.compose.loaded import Loaded
from framework.inspect.yaml_text import scalar

STEP = 2  # spaces by which YAML indents
DEFAULT = "default"


@dataclass(frozen=True)
class Line:
    """One line of YAML.

    Attributes:
      indent: spaces before it.
      name: the key.
      value: the value; nothing for a section.
      origin: who set the value; for a section, which option of its group was chosen, and by whom.
    """

    indent: int
    name: str
    value: str
    origin: str

    @property
    def text(self) -> str:
        """The line without its origin."""
        return f"{'':<{self.indent}}{self.name}:{' ' if self.value else ''}{self.value}"


def lines(loaded: Loaded, tree: Mapping[str, Any] | None = None, prefix: str = "") -> Iterator[Line]:
    """The lines of a loaded recipe.

    Args:
      tree: what to print, by default the resolved recipe; what it holds beyond that was set by nobody.
      prefix: the dotted key of `tree` within the recipe.
    """
    held = loaded.tree if tree is None else tree
    depth = prefix.count(".") + 1 if prefix else 0
    for name, value in _type_first(held, prefix).items():
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping) and value:
            yield Line(depth * STEP, scalar(name), "", choice_of(loaded, path))
            yield from lines(loaded, value, path)
        else:
            yield Line(depth * STEP, scalar(name), scalar(value), origin_of(loaded, path))


def origin_of(loaded: Loaded, key: str) -> str:
    """Who set a key, or the nearest section around it; `default` where nobody did."""
    node: Any = loaded.tree
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return DEFAULT
        node = node[part]
    while key:
        if key in loaded.origins:
            return loaded.origins[key]
        key = key.rpartition(".")[0]
    return DEFAULT


def choice_of(loaded: Loaded, key: str) -> str:
    """The option that was chosen for a section out of its config group, and by whom; nothing where it has none."""
    group = key.replace(".", "/")
    if group not in loaded.choices:
        return ""
    option, chooser = loaded.choices[group]
    chosen = f"{group}={option}"
    return chooser if chooser == f"override {chosen}" else f"{chosen} by {chooser}"


def _type_first(tree: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    """A component's `type` before its arguments. The order of a network's nodes means something and is kept."""
    if not isinstance(tree.get("type"), str) or prefix.startswith("network"):
        return tree
    return {"type": tree["type"], **tree}
