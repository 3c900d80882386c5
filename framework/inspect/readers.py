"""Who reads a setting: every place in the package's source that takes it from the config."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from framework.inspect.implementation import HOMES
from framework.inspect.source_text import files, shown, source, tree

Scope = tuple[str, ...]

_ROOMS = ("data", "objectives", "optim", "network", "parallel", "checkpoint", "report", "build", "train", "sweep")
"""Rooms that are handed a section of the config, in the order in which data meets them."""

_HANDED = ("spec", "section", "arguments")
"""What the rooms below `build` call a section that they are handed, or its fields as a mapping."""


@cache
def readers(section: str, schemas: tuple[str, ...], field: str, family: str = "") -> tuple[str, ...]:
    """Every place that reads a field, as `framework/train/loop.py: Loop.run`, in the order of the rooms.

    A place reads `trainer.epochs` when it takes the attribute `epochs` from something called `trainer`
    (`config.trainer.epochs`), from a variable that was set to such a thing (`stop = config.trainer.early_stop`) or is
    annotated with the section's class, or looks up the key `trainer.epochs` among traced scalars. In the room of its
    family a component's section may also be called `spec` or `section`, and its fields `arguments`.

    Args:
      section: what code calls the section that holds the field.
      schemas: names of its class and that class's bases.
      field: the name of the field.
      family: of the component that it belongs to, if any.
    """
    found: dict[str, None] = {}
    for room in _ROOMS:
        for file in files(room):
            if field in source(file):
                handed = _HANDED if family and room == HOMES[family].partition("/")[0] else ()
                names = {section, *handed, *_annotated(tree(file), schemas), *_aliases(tree(file), section)}
                for scope in _reads(tree(file), names, section, field):
                    found[f"{shown(file)}{': ' if scope else ''}{'.'.join(scope)}"] = None
    return tuple(found)


@cache
def methods(module: str, schemas: tuple[str, ...], section: str, field: str) -> tuple[str, ...]:
    """Methods of a section's own schema that tell of a field, such as `Mesh.sizes`, which adds up `axes.data`.

    Rooms call them instead of reading the field themselves. Validators are left out: what is only checked is not used.

    Args:
      module: of the schema class, e.g. `framework.config.schema.parallel`.
      schemas, section, field: as of `readers`.
    """
    file = next(file for file in files("config/schema") if shown(file) == f"{module.replace('.', '/')}.py")
    checks = {(owner.name, item.name) for owner, item in _methods(tree(file)) if _is_validator(item)}
    found: dict[str, None] = {}
    for scope in _reads(tree(file), {section}, section, field):
        found[".".join(scope)] = None
    for owner, item in _methods(tree(file)):
        if owner.name in schemas and any(True for _ in _reads(ast.Module([item], []), {"self"}, section, field)):
            found[f"{owner.name}.{item.name}"] = None
    return tuple(f"{shown(file)}: {name}" for name in found if tuple(name.split(".")) not in checks)


def _methods(module: ast.Module) -> Iterator[tuple[ast.ClassDef, ast.FunctionDef]]:
    for owner in module.body:
        if isinstance(owner, ast.ClassDef):
            yield from ((owner, item) for item in owner.body if isinstance(item, ast.FunctionDef))


def _is_validator(item: ast.FunctionDef) -> bool:
    return any("validator" in ast.unparse(mark) for mark in item.decorator_list)


def _reads(module: ast.Module, names: set[str], section: str, field: str) -> Iterator[Scope]:
    for scope, node in _scoped(module, ()):
        if isinstance(node, ast.Attribute):
            if node.attr == field and _name(node.value) in names:
                yield scope
        elif isinstance(node, ast.Call):
            if _asks(node, names, field):
                yield scope
        elif any(_is_key(text, section, field) for text in _looked_up(node)):
            yield scope


def _asks(node: ast.Call, names: set[str], field: str) -> bool:
    """`getattr(section, "normalize", ...)`, or `arguments.pop("warmup_fraction")` of a component's arguments."""
    texts = [item.value for item in node.args if isinstance(item, ast.Constant)]
    if _name(node.func) == "getattr" and node.args:
        return field in texts[:1] and _name(node.args[0]) in names
    taken = isinstance(node.func, ast.Attribute) and node.func.attr in ("pop", "get")
    return taken and field in texts[:1] and "arguments" in names and _name(node.func.value) == "arguments"  # type: ignore[union-attr]


def _looked_up(node: ast.AST) -> list[ast.expr]:
    """Texts that are looked up in a mapping; a key in an error's text reads nothing."""
    if isinstance(node, ast.Subscript):
        return [node.slice]
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        return [node.left]
    return []


def _is_key(node: ast.expr, section: str, field: str) -> bool:
    """Whether a text is the config key of the field, such as `trainer.ema_decay` or f`losses.{name}.weight`."""
    if isinstance(node, ast.Constant):
        return node.value == f"{section}.{field}"
    if not isinstance(node, ast.JoinedStr) or len(node.values) != 3:
        return False
    ends = [part.value if isinstance(part, ast.Constant) else None for part in (node.values[0], node.values[-1])]
    return ends == [f"{section}.", f".{field}"]


def _scoped(node: ast.AST, scope: Scope) -> Iterator[tuple[Scope, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inner = (*scope, child.name) if isinstance(child, ast.FunctionDef | ast.ClassDef) else scope
        yield inner, child
        yield from _scoped(child, inner)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _annotated(module: ast.Module, schemas: tuple[str, ...]) -> set[str]:
    """Parameters and variables that are annotated with one of the classes, also as `Trainer | None`.

    A class that another package calls by the same name (JAX has a `Mesh` too) is not meant.
    """
    foreign = {
        name.asname or name.name
        for node in module.body
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("framework")
        for name in node.names
    }
    schemas = tuple(set(schemas) - foreign)
    names = set()
    for node in ast.walk(module):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            words = ast.unparse(node.annotation).replace("|", " ").split()
            if set(words) & set(schemas):
                names.add(node.arg if isinstance(node, ast.arg) else _name(node.target))
    return names


def _aliases(module: ast.Module, section: str) -> set[str]:
    """Variables that are set to the section: `stop = config.trainer.early_stop`, also as one of several.

    Also those that go over a section of named ones: `for name, rule in rules.items()`.
    """
    names = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = (
                    zip(target.elts, node.value.elts, strict=False)
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                    else [(target, node.value)]
                )
                names |= {_name(left) for left, right in pairs if _name(right) == section}
        elif isinstance(node, ast.For | ast.comprehension):
            names |= _gone_over(node, section)
    return names - {""}


def _gone_over(loop: ast.For | ast.comprehension, section: str) -> set[str]:
    call = loop.iter
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or _name(call.func.value) != section:
        return set()
    if call.func.attr == "items" and isinstance(loop.target, ast.Tuple):
        return {_name(loop.target.elts[-1])}
    return {_name(loop.target)} if call.func.attr == "values" else set()
