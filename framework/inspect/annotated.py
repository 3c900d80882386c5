"""A resolved recipe as YAML, line by line, each leaf with who set it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from framework.inspect.yaml_text import scalar

STEP = 2  # spaces by which YAML indents


@dataclass(frozen=True)
class Line:
    """One line of YAML.

    Attributes:
      indent: spaces before it.
      name: the key.
      value: the value; nothing for a section.
      origin: who set the value; nothing for a section.
    """

    indent: int
    name: str
    value: str
    origin: str

    @property
    def text(self) -> str:
        """The line without its origin."""
        return f"{'':<{self.indent}}{self.name}:{' ' if self.value else ''}{self.value}"


def lines(tree: Mapping[str, Any], origins: Mapping[str, str], prefix: str = "", depth: int = 0) -> Iterator[Line]:
    """The lines of a resolved tree.

    Args:
      tree: nested mappings of plain values.
      origins: dotted key -> who set it; a key without one has that of the nearest section around it.
    """
    for name, value in tree.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping) and value:
            yield Line(depth * STEP, scalar(name), "", "")
            yield from lines(value, origins, path, depth + 1)
        else:
            yield Line(depth * STEP, scalar(name), scalar(value), origin_of(path, origins))


def origin_of(path: str, origins: Mapping[str, str]) -> str:
    """Who set a key, or the nearest section around it; `default` where nobody did."""
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0]
    return "default"
