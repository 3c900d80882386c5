"""The source of functions and classes, with all of this package that they use, as one text that imports none of it.

Only what is used comes along: files are read as syntax trees, names are followed from definition to definition, and
what stands on its own in a file (a function, a class, a constant) is taken or left as a whole. Where two files use one
name for two things, the later one is renamed after its file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TypeGuard

from framework.inspect.ejecting.adapting import NAMES, adapted
from framework.inspect.ejecting.scopes import free_names
from framework.inspect.source_text import PACKAGE

Key = tuple[str, str]
"""(module, name) of a definition."""

_OWN = "framework"
_WIDTH = 120


class NotCarriedError(ValueError):
    """A definition uses this package in a way that cannot be copied, such as one of its files as a whole."""


@dataclass(frozen=True)
class _Binding:
    """What a name at the top of a file stands for: a definition there, or something imported."""

    statement: ast.stmt | None = None
    imported: tuple[str, str | None] | None = None  # (module, name in it; None: the module itself)


@dataclass(frozen=True)
class _File:
    module: str
    lines: tuple[str, ...]
    tree: ast.Module
    names: dict[str, _Binding]

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


@dataclass
class Closure:
    """Definitions that are needed, and what they need in turn.

    Attributes:
      taken: names that the text must leave to others.
      words: see `adapted`.
    """

    taken: set[str] = field(default_factory=set)
    words: frozenset[str] | None = None
    needed: dict[Key, None] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    named: dict[Key, str] = field(default_factory=dict)

    def add(self, module: str, name: str) -> str:
        """Take a definition in, with all that it uses; gives the name that it has in the text."""
        module, name = _resolved(module, name)
        key = (module, name)
        if key in self.named:
            return self.named[key]
        same = self._same(module, name)
        if same is not None:
            self.named[key] = same
            return same
        free = NAMES.get(key, name)
        if free in self.taken:
            stem = module.rpartition(".")[2]
            free = f"{'_' if name.startswith('_') else ''}{stem}_{name.lstrip('_')}"
            if name[0].isupper():
                free = "".join(part.capitalize() for part in stem.split("_")) + name
        while free in self.taken:
            free += "_"
        self.taken.add(free)
        self.named[key] = free
        self.needed[key] = None
        file = _file(module, self.words)
        for statement in file.statements(name):
            for used in sorted(_used(statement)):
                binding = file.names.get(used)
                if binding is None or binding.statement is not statement:
                    self._follow(file, used, binding, statement)
            for local in _local_imports(statement):
                for alias in local.names:
                    self.add(str(local.module), alias.name)
        return free

    def _same(self, module: str, name: str) -> str | None:
        """The name of a definition out of another file that reads the same, such as a type's alias."""
        (statement, *more) = _file(module, self.words).statements(name)
        names = _file(module, self.words).names
        own = any(names[used].statement is not None for used in _used(statement) & set(names))
        if more or own or not isinstance(statement, ast.Assign | ast.AnnAssign):
            return None
        text = ast.unparse(statement)
        for other, held in self.needed:
            if held == name and ast.unparse(_file(other, self.words).statements(held)[0]) == text:
                return self.named[other, held]
        return None

    def use(self, name: str, module: str) -> None:
        """Import a name that the text uses besides what the definitions need."""
        self.imports[name] = (module, name)
        self.taken.add(name)

    def _follow(self, file: _File, used: str, binding: _Binding | None, statement: ast.stmt) -> None:
        if binding is None:
            return
        if binding.imported is None:
            self.add(file.module, used)
            return
        module, name = binding.imported
        if module.partition(".")[0] == _OWN:
            if name is None:
                raise NotCarriedError(f"{file.module} uses {module} as a whole")
            if not _is_file(module, name):
                self.add(module, name)
                return
            read = [node.attr for node in ast.walk(statement) if _is_read(node, used)]
            if len(read) < sum(node.id == used for node in free_names(statement)):
                raise NotCarriedError(f"{file.module} uses {module}.{name} as a whole")
            for part in read:
                self.add(f"{module}.{name}", part)
        else:
            before = self.imports.setdefault(used, binding.imported)
            if before != binding.imported:
                raise NotCarriedError(f"{used} is {before} and {binding.imported}")
            self.taken.add(used)

    def strings(self) -> frozenset[str]:
        """All strings in the definitions, but for those in the tables that `adapted` makes smaller."""
        statements = (one for module, name in self.needed for one in _file(module, self.words).statements(name))
        kept = (one for one in statements if not isinstance(getattr(one, "value", None), ast.Dict))
        nodes = (node for one in kept for node in ast.walk(one) if isinstance(node, ast.Constant))
        return frozenset(node.value for node in nodes if isinstance(node.value, str))

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """(what a file is about, the definitions out of it), files before those that use them."""
        order: dict[str, None] = {}
        for module, _ in self.needed:
            self._before(module, order)
        for module in order:
            file = _file(module, self.words)
            chosen = {name for own, name in self.needed if own == module}
            wanted = {one.lineno: one for name in chosen for one in file.statements(name)}
            texts = [self._text(file, wanted[line]) for line in sorted(wanted)]
            if texts:
                yield (ast.get_docstring(file.tree) or module).splitlines()[0], texts

    def _before(self, module: str, order: dict[str, None]) -> None:
        if module in order:
            return
        for binding in _file(module, self.words).names.values():
            if binding.imported is not None and binding.imported[0].partition(".")[0] == _OWN:
                source, name = binding.imported
                if name is not None:
                    source = f"{source}.{name}" if _is_file(source, name) else _resolved(source, name)[0]
                if any(own == source for own, _ in self.needed) and source != module:
                    self._before(source, order)
        order[module] = None

    def _text(self, file: _File, statement: ast.stmt) -> str:
        """The source of a definition, with renamed names and without imports of this package inside."""
        first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", []))])
        while first > 1 and re.match(r"#", file.lines[first - 2]):
            first -= 1  # a comment above belongs to it
        lines = list(file.lines[first - 1 : statement.end_lineno])
        edits: list[tuple[int, int, int, str]] = []
        made = (node for one in _targets(statement) for node in ast.walk(one) if isinstance(node, ast.Name))
        read = (node for node in ast.walk(statement) if isinstance(node, ast.Attribute))
        for node in (*free_names(statement), *made, *read, statement):
            found = self._renamed(file, node)
            if found is not None:
                line, start, old, new = found
                edits.append((line, start, start + len(old), new))
        for line, start, stop, new in sorted(set(edits), reverse=True):
            encoded = lines[line - first].encode()
            lines[line - first] = (encoded[:start] + new.encode() + encoded[stop:]).decode()
        dropped: set[int] = set()
        for local in _local_imports(statement):
            dropped |= set(range(local.lineno, (local.end_lineno or local.lineno) + 1))
        kept = [part for number, text in enumerate(lines, first) if number not in dropped for part in _short(text)]
        # What a script does not hold is not spoken of in it.
        text = "\n".join(kept).replace("; see the schema of the same name.", ".")
        return re.sub(r"  # (pyright|type|noqa):?.*", "", text)

    def _renamed(self, file: _File, node: ast.AST) -> tuple[int, int, str, str] | None:
        """(line, column, old name, new name) where a node holds a name that is another one in the text."""
        if isinstance(node, ast.Attribute):
            return self._renamed_part(file, node)
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
            if module.partition(".")[0] != _OWN or name is None or _is_file(module, name):
                return None
            key = _resolved(module, name)
        new = self.named.get(key, old)
        return None if new == old else (line, column, old, new)

    def _renamed_part(self, file: _File, node: ast.Attribute) -> tuple[int, int, str, str] | None:
        """Likewise, where a node reads a definition through its file: `costs.tell`."""
        if not isinstance(node.value, ast.Name):
            return None
        binding = file.names.get(node.value.id)
        if binding is None or binding.imported is None or binding.imported[1] is None:
            return None
        module, name = binding.imported
        if module.partition(".")[0] != _OWN or not _is_file(module, name):
            return None
        old = f"{node.value.id}.{node.attr}"
        return node.value.lineno, node.value.col_offset, old, self.named[_resolved(f"{module}.{name}", node.attr)]


def _is_file(module: str, name: str | None) -> bool:
    """Whether a name that is imported from a module is a file of this package."""
    return name is not None and PACKAGE.joinpath(*module.split(".")[1:], f"{name}.py").is_file()


def _is_read(node: ast.AST, name: str) -> TypeGuard[ast.Attribute]:
    """Whether it is `name.something`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


@cache
def _file(module: str, words: frozenset[str] | None = None) -> _File:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = adapted(module, path.read_text(encoding="utf-8"), words)
    tree = ast.parse(text)
    names: dict[str, _Binding] = {}
    for statement in _top(tree.body):
        if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
            for alias in statement.names:
                names[alias.asname or alias.name] = _Binding(imported=(str(statement.module), alias.name))
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = _Binding(imported=(alias.name if alias.asname else bound, None))
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names[statement.name] = _Binding(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            for target in _targets(statement):
                for node in ast.walk(target):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        names[node.id] = _Binding(statement)
    return _File(module, tuple(text.splitlines()), tree, names)


def _targets(statement: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to."""
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AnnAssign) else []


def _short(line: str) -> list[str]:
    """A line, or the head of a function that a longer name made too long, in three."""
    head = re.fullmatch(r"(\s*)(def \w+\()(.*)(\) -> .*:)", line)
    if len(line) <= _WIDTH or head is None:
        return [line]
    indent, start, inside, end = head.groups()
    return [indent + start, f"{indent}    {inside}", indent + end]


def _top(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a file, those that only a type checker sees among them."""
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _top(statement.body)
        else:
            yield statement


def _resolved(module: str, name: str) -> Key:
    """The file that defines what another one only hands on."""
    binding = _file(module).names.get(name)
    if binding is not None and binding.imported is not None:
        source, original = binding.imported
        if source.partition(".")[0] != _OWN or original is None:
            raise NotCarriedError(f"{module}.{name} is from elsewhere")
        return _resolved(source, original)
    if binding is None:
        raise NotCarriedError(f"{module} has no {name}")
    return module, name


def _used(statement: ast.stmt) -> set[str]:
    """The names that a definition reads from outside of it."""
    return {node.id for node in free_names(statement)}


def _local_imports(statement: ast.stmt) -> list[ast.ImportFrom]:
    return [
        node
        for node in ast.walk(statement)
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == _OWN
    ]
