"""The files of this package as syntax trees: what each name at the top of one stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from framework.inspect.ejecting.adapting import adapted
from framework.inspect.source_text import PACKAGE

Key = tuple[str, str]
"""(module, name) of a definition."""

OWN = "framework"
"""The package that is copied, and never imported."""


class NotCarriedError(ValueError):
    """A definition uses this package in a way that cannot be copied, such as one of its files as a whole."""


@dataclass(frozen=True)
class Binding:
    """What a name at the top of a file stands for: a definition there, or something imported."""

    statement: ast.stmt | None = None
    imported: tuple[str, str | None] | None = None  # (module, name in it; None: the module itself)


@dataclass(frozen=True)
class File:
    """A file of this package, with what each name at its top stands for."""

    module: str
    lines: tuple[str, ...]
    tree: ast.Module
    names: dict[str, Binding]

    def statements(self, name: str) -> list[ast.stmt]:
        """The definition of a name, and what the file does with it, such as `f.defvjp(forward, backward)`."""
        found = self.names[name].statement
        assert found is not None
        return [found, *(one for one in self.tree.body if _done_with(one) == name)]


def _done_with(statement: ast.stmt) -> str | None:
    """The name whose method a statement calls."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    return method.value.id if isinstance(method, ast.Attribute) and isinstance(method.value, ast.Name) else None


@cache
def file_of(module: str, words: frozenset[str] | None = None) -> File:
    """The file of a module, as `adapted` changes it for a text of these words."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = adapted(module, path.read_text(encoding="utf-8"), words)
    tree = ast.parse(text)
    names: dict[str, Binding] = {}
    for statement in _top(tree.body):
        if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
            for alias in statement.names:
                names[alias.asname or alias.name] = Binding(imported=(str(statement.module), alias.name))
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = Binding(imported=(alias.name if alias.asname else bound, None))
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names[statement.name] = Binding(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            for target in targets(statement):
                for node in ast.walk(target):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        names[node.id] = Binding(statement)
    return File(module, tuple(text.splitlines()), tree, names)


def _top(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a file, those that only a type checker sees among them."""
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _top(statement.body)
        else:
            yield statement


def targets(statement: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to."""
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AnnAssign) else []


def is_file(module: str, name: str | None) -> bool:
    """Whether a name that is imported from a module is a file of this package."""
    return name is not None and PACKAGE.joinpath(*module.split(".")[1:], f"{name}.py").is_file()


def resolved(module: str, name: str) -> Key:
    """The file that defines what another one only hands on."""
    binding = file_of(module).names.get(name)
    if binding is not None and binding.imported is not None:
        source, original = binding.imported
        if source.partition(".")[0] != OWN or original is None:
            raise NotCarriedError(f"{module}.{name} is from elsewhere")
        return resolved(source, original)
    if binding is None:
        raise NotCarriedError(f"{module} has no {name}")
    return module, name


def own_imports(statement: ast.stmt) -> list[ast.ImportFrom]:
    """The imports of this package within a definition."""
    return [
        node
        for node in ast.walk(statement)
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == OWN
    ]
