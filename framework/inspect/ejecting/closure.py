"""The source of functions and classes, with all of this package that they use, as one text that imports none of it.

Only what is used comes along: files are read as syntax trees, names are followed from definition to definition, and
what stands on its own in a file (a function, a class, a constant) is taken or left as a whole. Where two files use one
name for two things, the later one is renamed after its file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from framework.inspect.ejecting.adapting import NAMES
from framework.inspect.ejecting.copying import copied
from framework.inspect.ejecting.definitions import (
    OWN,
    Binding,
    File,
    Key,
    NotCarriedError,
    file_of,
    is_file,
    own_imports,
    resolved,
)
from framework.inspect.ejecting.scopes import free_names


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
        module, name = resolved(module, name)
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
        file = file_of(module, self.words)
        for statement in file.statements(name):
            for used in sorted(_used(statement)):
                binding = file.names.get(used)
                if binding is None or binding.statement is not statement:
                    self._follow(file, used, binding, statement)
            for local in own_imports(statement):
                for alias in local.names:
                    self.add(str(local.module), alias.name)
        return free

    def _same(self, module: str, name: str) -> str | None:
        """The name of a definition out of another file that reads the same, such as a type's alias."""
        (statement, *more) = file_of(module, self.words).statements(name)
        names = file_of(module, self.words).names
        own = any(names[used].statement is not None for used in _used(statement) & set(names))
        if more or own or not isinstance(statement, ast.Assign | ast.AnnAssign):
            return None
        text = ast.unparse(statement)
        for other, held in self.needed:
            if held == name and ast.unparse(file_of(other, self.words).statements(held)[0]) == text:
                return self.named[other, held]
        return None

    def use(self, name: str, module: str) -> None:
        """Import a name that the text uses besides what the definitions need."""
        self.imports[name] = (module, name)
        self.taken.add(name)

    def _follow(self, file: File, used: str, binding: Binding | None, statement: ast.stmt) -> None:
        if binding is None:
            return
        if binding.imported is None:
            self.add(file.module, used)
            return
        module, name = binding.imported
        if module.partition(".")[0] == OWN:
            if name is None:
                raise NotCarriedError(f"{file.module} uses {module} as a whole")
            if not is_file(module, name):
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
        statements = (one for module, name in self.needed for one in file_of(module, self.words).statements(name))
        kept = (one for one in statements if not isinstance(getattr(one, "value", None), ast.Dict))
        nodes = (node for one in kept for node in ast.walk(one) if isinstance(node, ast.Constant))
        return frozenset(node.value for node in nodes if isinstance(node.value, str))

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """(what a file is about, the definitions out of it), files before those that use them."""
        order: dict[str, None] = {}
        for module, _ in self.needed:
            self._before(module, order)
        for module in order:
            file = file_of(module, self.words)
            chosen = {name for own, name in self.needed if own == module}
            wanted = {one.lineno: one for name in chosen for one in file.statements(name)}
            texts = [copied(file, wanted[line], self.named) for line in sorted(wanted)]
            if texts:
                yield (ast.get_docstring(file.tree) or module).splitlines()[0], texts

    def _before(self, module: str, order: dict[str, None]) -> None:
        if module in order:
            return
        for binding in file_of(module, self.words).names.values():
            if binding.imported is not None and binding.imported[0].partition(".")[0] == OWN:
                source, name = binding.imported
                if name is not None:
                    source = f"{source}.{name}" if is_file(source, name) else resolved(source, name)[0]
                if any(own == source for own, _ in self.needed) and source != module:
                    self._before(source, order)
        order[module] = None


def _is_read(node: ast.AST, name: str) -> TypeGuard[ast.Attribute]:
    """Whether it is `name.something`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _used(statement: ast.stmt) -> set[str]:
    """The names that a definition reads from outside of it."""
    return {node.id for node in free_names(statement)}
