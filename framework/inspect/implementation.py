"""Where the code of a component stands: found in the source text; nothing is imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from framework.inspect.source_text import files, shown, tree

HOMES = {
    "data": "data",
    "loss": "objectives/losses",
    "metric": "objectives/metrics",
    "optimizer": "optim",
    "schedule": "optim",
    "layer": "network/layers",
}
"""Family -> folder that holds its functions or Flax modules."""


@dataclass(frozen=True)
class Implementation:
    """The code of a component.

    Attributes:
      place: file and name, e.g. `framework/optim/optimizers.py: adamw`.
      arguments: names of its parameters, or of its fields where it is a class.
    """

    place: str
    arguments: frozenset[str]


def implementation(family: str, names: tuple[str, ...]) -> Implementation | None:
    """The function or class behind a component.

    Args:
      family: `data`, `loss`, `metric`, `optimizer`, `schedule` or `layer`.
      names: what it may be called: the word of YAML, and the name of its schema class.
    """
    for file in files(HOMES[family]):
        for node in tree(file).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
                return Implementation(f"{shown(file)}: {node.name}", _arguments(node))
    return None


def schema_place(schema: type) -> str:
    """The file and name of a schema class."""
    return f"{schema.__module__.replace('.', '/')}.py: {schema.__qualname__}"


def _arguments(node: ast.FunctionDef | ast.ClassDef) -> frozenset[str]:
    if isinstance(node, ast.FunctionDef):
        return frozenset(item.arg for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
    return frozenset(
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    )
