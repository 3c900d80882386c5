"""Source that is carried along: every layer that can be, without this package, each name meaning one thing."""

from __future__ import annotations

import ast
import builtins

import pytest

from framework.config.schema.layers import LAYERS
from framework.inspect.ejecting.closure import Closure, NotCarriedError
from framework.inspect.ejecting.scopes import free_names
from framework.network.layers import module_for

TELL_COSTS = {"mixture_of_experts", "gaussian_sample", "probe"}


def taken(ops: list[str]) -> Closure:
    closure = Closure()
    for op in ops:
        kind = module_for(op)
        closure.add(kind.__module__, kind.__name__)
    return closure


def test_all_layers_but_those_that_tell_costs_are_carried_and_every_name_is_defined_once() -> None:
    closure = taken([op for op in LAYERS if op not in TELL_COSTS])
    texts = [text for _, section in closure.sections() for text in section]
    tree = ast.parse("\n\n".join(texts))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names))
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    known = {*names, *made, *closure.imports, *dir(builtins)}
    assert {name.id for name in free_names(tree)} - known == set()
    assert "framework" not in {alias[0].partition(".")[0] for alias in closure.imports.values()}


@pytest.mark.parametrize("op", sorted(TELL_COSTS))
def test_a_layer_that_tells_costs_is_not_carried(op: str) -> None:
    with pytest.raises(NotCarriedError):
        taken([op])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a, b=c): return a + b + d", {"c", "d"}),
        ("def f():\n    x = 1\n    return [x * y for y in z]", {"z"}),
        ("def f(step):\n    def g(): return step + other\n    return g", {"other"}),
        ("class A(B):\n    size: C = D\n    def f(self, x: E) -> F: return G(x)", set("BCDEFG")),
        ("f = lambda x, *y, z=w: (x, y, z, v)", {"w", "v"}),
    ],
)
def test_free_names_are_those_from_outside(source: str, expected: set[str]) -> None:
    assert {name.id for name in free_names(ast.parse(source).body[0])} == expected
