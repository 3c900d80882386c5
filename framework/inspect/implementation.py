"""Where the code of a component stands, and who reads a setting: found in the source text; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import framework

PACKAGE = Path(framework.__path__[0])

_HOMES = {
    "data": "data",
    "loss": "objectives/losses",
    "metric": "objectives/metrics",
    "optimizer": "optim",
    "schedule": "optim",
    "layer": "network/layers",
}
"""Family -> folder that holds its functions or Flax modules."""

_READERS = ("build", "train", "data", "parallel", "checkpoint", "report", "network", "optim", "inspect", "library")
"""Rooms that are handed a config and may read settings from it."""


def implementation(family: str, names: tuple[str, ...]) -> str | None:
    """File and name of the function or class behind a component, e.g. `framework/optim/optimizers.py: adamw`.

    Args:
      family: `data`, `loss`, `metric`, `optimizer`, `schedule` or `layer`.
      names: what it may be called: the word of YAML, and the name of its schema class.
    """
    for file in _files(_HOMES[family]):
        for node in _tree(file).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
                return f"{_shown(file)}: {node.name}"
    return None


def schema_place(schema: type) -> str:
    """The file and name of a schema class."""
    return f"{schema.__module__.replace('.', '/')}.py: {schema.__qualname__}"


@cache
def readers(section: str, schema: str, field: str) -> tuple[str, ...]:
    """Every place that reads `<section>.<field>`, as `framework/train/loop.py: Loop.run`, in the order of the rooms.

    A place counts when it reads an attribute of this name from something called like the section
    (`config.trainer.epochs`, `trainer.epochs`), or from a variable annotated with the section's schema class.
    """
    found: dict[str, None] = {}
    for room in _READERS:
        for file in _files(room):
            if field in _source(file):
                for place in _reads(_tree(file), section, schema, field):
                    found[f"{_shown(file)}{place}"] = None
    return tuple(found)


def _reads(tree: ast.Module, section: str, schema: str, field: str) -> Iterator[str]:
    for scope, node in _scoped(tree, ()):
        if isinstance(node, ast.Attribute) and node.attr == field:
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name == section or name in _annotated(tree, schema):
                yield f": {'.'.join(scope)}" if scope else ""


def _scoped(node: ast.AST, scope: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ast.AST]]:
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        inner = (*scope, child.name) if isinstance(child, ast.FunctionDef | ast.ClassDef) and named else scope
        yield inner, child
        yield from _scoped(child, inner)


def _annotated(tree: ast.Module, schema: str) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.arg | ast.AnnAssign) or node.annotation is None:
            continue
        if schema in ast.unparse(node.annotation).replace("|", " ").split():
            target = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
            names.add(target.rpartition(".")[2])
    return names


def _files(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


@cache
def _source(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(_source(file))


def _shown(file: Path) -> str:
    return f"framework/{file.relative_to(PACKAGE).as_posix()}"
