"""Names, references and array expressions of a recipe as Python source."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping

from framework.config.language.expression import CONSTANTS, LAX_FUNCTIONS, NN_FUNCTIONS

WIDTH = 120
_RESERVED = {
    *("self", "context", "frozen", "batch", "time", "member", "members", "replace", "eval", "input"),
    *("jax", "jnp", "nn", "lax", "np", "optax", "x", "repeated", "rematerialised"),
}


def expression(text: str, values: Mapping[str, str]) -> str:
    """An array expression as Python on `jax.numpy`.

    Args:
      values: what stands for each of its names.
    """

    class Written(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id in values:
                return ast.parse(values[node.id], mode="eval").body
            if node.id in CONSTANTS:
                return ast.Constant(CONSTANTS[node.id])
            home = "jax.nn" if node.id in NN_FUNCTIONS else "jax.lax" if node.id in LAX_FUNCTIONS else "jnp"
            return ast.parse(f"{home}.{node.id}", mode="eval").body

    return ast.unparse(Written().visit(ast.parse(text, mode="eval"))).replace("'", '"')


def variable(name: str) -> str:
    """The Python variable that holds what a node gives."""
    if name == "input":
        return "x"
    return f"{name}_" if keyword.iskeyword(name) or name in _RESERVED or name.endswith("_module") else name


def told(name: str) -> str:
    """Under which name what a node gives is told to losses; its own is its module's."""
    return f"{name}_output"


def subscripted(name: str, parts: list[str]) -> str:
    """`outputs`, `["hidden", "0"]` -> `outputs["hidden"][0]`."""
    return name + "".join(f"[{part}]" if part.isdigit() else f'["{part}"]' for part in parts)


def statement(start: str, made: str, call: str = "") -> list[str]:
    """A statement on one line, or, where that is too long, with the arguments on lines of their own.

    Args:
      start: what stands before, with its indent, such as `        conv = `.
      made: a module as it is made: a call of a class.
      call: how it is called.
    """
    line = f"{start}{made}{call}"
    opening = made.find("(")
    if len(line) <= WIDTH or opening < 0:
        return [line]
    indent = start[: len(start) - len(start.lstrip())]
    first, *rest = _spread(made, indent)
    return [start + first, *rest[:-1], rest[-1] + call] if rest else [f"{start}({made}){call}"]


def _spread(source: str, indent: str) -> list[str]:
    """An expression over several lines, each argument of a call on its own; the first line without indent."""
    tree = ast.parse(source, mode="eval").body
    if not isinstance(tree, ast.Call):
        return [source]
    inside = indent + "    "
    lines = [f"{ast.get_source_segment(source, tree.func)}("]
    given = [(None, value) for value in tree.args] + [(one.arg, one.value) for one in tree.keywords]
    for word, value in given:
        text = f"{word}=" * (word is not None) + str(ast.get_source_segment(source, value))
        parts = [text] if len(inside + text) < WIDTH or word is not None else _spread(text, inside)
        lines += [inside + parts[0], *parts[1:]]
        lines[-1] += ","
    return [*lines, f"{indent})"]
