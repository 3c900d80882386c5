"""Source that is carried along: every layer that can be, without this package, each name meaning one thing."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Any, get_args

import pytest

from framework.config.schema.layers import LAYERS
from framework.config.schema.losses import Loss
from framework.config.schema.optimizers import Optimizer, Schedule
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.definitions import NotCarriedError
from framework.inspect.ejecting.scopes import free_names
from framework.network.layers import module_for


def definitions() -> list[tuple[str, str]]:
    """(module, name) of everything that a recipe may name and a script may need."""
    layers = [(kind.__module__, kind.__name__) for kind in map(module_for, LAYERS)]
    rooms = {"framework.objectives.losses": Loss, "framework.optim.optimizers": Optimizer}
    rooms["framework.optim.schedules"] = Schedule
    return layers + [(module, name) for module, kinds in rooms.items() for name in types(kinds) if name != "expr"]


def types(kinds: Any) -> list[str]:
    """What `type` may be in a section."""
    union, *_ = get_args(kinds)
    return [get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(union)]


def test_all_layers_losses_optimizers_and_schedules_are_carried_and_every_name_is_defined_once() -> None:
    closure = Closure()
    for module, name in definitions():
        closure.add(module, name)
    texts = [text for _, section in closure.sections() for text in section]
    tree = ast.parse("\n\n".join(texts))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names))
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    known = {*names, *made, *closure.imports, *dir(builtins)}
    assert {name.id for name in free_names(tree)} - known == set()
    packages = {alias[0].partition(".")[0] for alias in closure.imports.values()}
    assert packages - set(sys.stdlib_module_names) == {"flax", "jax", "numpy", "optax"}


def test_what_is_read_through_its_file_has_the_name_of_what_it_says() -> None:
    closure = Closure()
    closure.add("framework.network.layers.moe", "MixtureOfExperts")
    text = "\n".join(text for _, section in closure.sections() for text in section)
    assert "chosen = chosen_experts(lax.stop_gradient(probabilities), self.top_k)" in text
    assert "def chosen_experts(probabilities: jax.Array, top_k: int) -> jax.Array:" in text
    assert "routing." not in text and "costs." not in text.replace("`costs.", "")


def test_a_file_of_this_package_as_a_whole_is_not_carried() -> None:
    with pytest.raises(NotCarriedError, match=r"uses framework\.optim\.schedules as a whole"):
        Closure().add("framework.optim.building", "make_optimizer")


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
