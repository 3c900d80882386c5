"""Which names of a definition mean something outside of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def free_names(node: ast.AST, bound: frozenset[str] = frozenset()) -> Iterator[ast.Name]:
    """The places where a name is read that neither an argument nor a variable of a function around it stands for."""
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id not in bound:
            yield node
    elif isinstance(node, _FUNCTIONS):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        outside: list[ast.AST | None] = [
            *arguments.defaults,
            *arguments.kw_defaults,
            *(one.annotation for one in every),
        ]
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        if not isinstance(node, ast.Lambda):
            outside += [*node.decorator_list, node.returns]
        yield from _all(outside, bound)
        inside = bound | {one.arg for one in every} | set(_assigned(body))
        yield from _all(body, inside)
    elif isinstance(node, _COMPREHENSIONS):
        made = {name.id for one in node.generators for name in ast.walk(one.target) if isinstance(name, ast.Name)}
        yield from _all(ast.iter_child_nodes(node), bound | made)
    else:
        yield from _all(ast.iter_child_nodes(node), bound)


def _all(nodes: Iterable[ast.AST | None], bound: frozenset[str] | set[str]) -> Iterator[ast.Name]:
    for node in nodes:
        if node is not None:
            yield from free_names(node, frozenset(bound))


def _assigned(body: Iterable[ast.AST]) -> Iterator[str]:
    """The variables of a function: what its statements assign, those of functions within it left out."""
    for node in body:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
            yield from _assigned(ast.iter_child_nodes(node))
        elif not isinstance(node, ast.Lambda | ast.ImportFrom):
            yield from _assigned(ast.iter_child_nodes(node))
