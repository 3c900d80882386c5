"""Definitions as they stand in their files, but with the names that they have in the text."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from framework.inspect.ejecting.definitions import OWN, File, Key, is_file, own_imports, resolved, targets
from framework.inspect.ejecting.scopes import free_names

_WIDTH = 120


def copied(file: File, statement: ast.stmt, named: Mapping[Key, str]) -> str:
    """The source of a definition, with renamed names and without imports of this package inside.

    Args:
      named: what definitions are called in the text.
    """
    first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", []))])
    while first > 1 and re.match(r"#", file.lines[first - 2]):
        first -= 1  # a comment above belongs to it
    lines = list(file.lines[first - 1 : statement.end_lineno])
    edits: list[tuple[int, int, int, str]] = []
    made = (node for one in targets(statement) for node in ast.walk(one) if isinstance(node, ast.Name))
    read = (node for node in ast.walk(statement) if isinstance(node, ast.Attribute))
    for node in (*free_names(statement), *made, *read, statement):
        found = _renamed(file, node, named)
        if found is not None:
            line, start, old, new = found
            edits.append((line, start, start + len(old), new))
    for line, start, stop, new in sorted(set(edits), reverse=True):
        encoded = lines[line - first].encode()
        lines[line - first] = (encoded[:start] + new.encode() + encoded[stop:]).decode()
    dropped: set[int] = set()
    for local in own_imports(statement):
        dropped |= set(range(local.lineno, (local.end_lineno or local.lineno) + 1))
    kept = [part for number, text in enumerate(lines, first) if number not in dropped for part in _short(text)]
    # What a script does not hold is not spoken of in it.
    text = "\n".join(kept).replace("; see the schema of the same name.", ".")
    return re.sub(r"  # (pyright|type|noqa):?.*", "", text)


def _renamed(file: File, node: ast.AST, named: Mapping[Key, str]) -> tuple[int, int, str, str] | None:
    """(line, column, old name, new name) where a node holds a name that is another one in the text."""
    if isinstance(node, ast.Attribute):
        return _renamed_part(file, node, named)
    if isinstance(node, ast.Name):
        old, line, column = node.id, node.lineno, node.col_offset
    elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in file.names:
        if file.names[node.name].statement is not node:
            return None
        old, line = node.name, node.lineno
        column = len("class " if isinstance(node, ast.ClassDef) else "def ")
    else:
        return None
    binding = file.names.get(old)
    if binding is None:
        return None
    key = (file.module, old)
    if binding.imported is not None:
        module, name = binding.imported
        if module.partition(".")[0] != OWN or name is None or is_file(module, name):
            return None
        key = resolved(module, name)
    new = named.get(key, old)
    return None if new == old else (line, column, old, new)


def _renamed_part(file: File, node: ast.Attribute, named: Mapping[Key, str]) -> tuple[int, int, str, str] | None:
    """Likewise, where a node reads a definition through its file: `costs.tell`."""
    if not isinstance(node.value, ast.Name):
        return None
    binding = file.names.get(node.value.id)
    if binding is None or binding.imported is None or binding.imported[1] is None:
        return None
    module, name = binding.imported
    if module.partition(".")[0] != OWN or not is_file(module, name):
        return None
    old = f"{node.value.id}.{node.attr}"
    return node.value.lineno, node.value.col_offset, old, named[resolved(f"{module}.{name}", node.attr)]


def _short(line: str) -> list[str]:
    """A line, or the head of a function that a longer name made too long, in three."""
    head = re.fullmatch(r"(\s*)(def \w+\()(.*)(\) -> .*:)", line)
    if len(line) <= _WIDTH or head is None:
        return [line]
    indent, start, inside, end = head.groups()
    return [indent + start, f"{indent}    {inside}", indent + end]
