"""The fixes of shapes that do not fit, as overrides to type where the shapes tell them."""

from __future__ import annotations

import re
from typing import Any

from framework.config.language.combinators import SHORTCUT
from framework.config.language.expression import Expression
from framework.config.language.graph import Graph, Node, Target

_SET = re.compile(r"set (\w+)(?:=([\w.-]+)| to (?:e\.g\. )?(-?[\d.]*\d)\b)")


def typed(fix: str, node: Node) -> str:
    """A layer's `set heads to e.g. 2` as the override that does it: `network.layers.look.attention.heads=2`."""
    found = _SET.match(fix)
    if found is None or isinstance(node.body, Expression | Target):
        return fix
    name, value = found[1], found[2] or found[3]
    if isinstance(node.body, Graph):
        combinator = node.body.wrap is not None
        return f"{node.key}.{node.op}.{name}={value}{fix[found.end() :]}" if combinator else fix
    if name not in type(node.body).model_fields:
        return fix
    # An operation may stand as a bare word where no argument was written: there is nothing yet to set one of.
    written = node.body.model_fields_set
    key = f"{node.key}.{node.op}.{name}={value}" if written else f"{node.key}={{{node.op}: {{{name}: {value}}}}}"
    rest = fix[found.end() :]
    return f"{key},{rest}" if rest.startswith(" ") else key + rest


def of_residual(node: Node, inputs: tuple[Any, ...]) -> str:
    """The shortcut that gives what a residual's layers give, out of what the residual takes."""
    made, taken = inputs
    if node.inputs[1] == SHORTCUT:
        return f"let {node.key}.{SHORTCUT} give {list(made.shape)}, as the layers do"
    layer = _between(taken.shape, made.shape)
    if layer is None:
        return f"let the layers give {list(taken.shape)}, or put a sequential in place of the residual"
    return f"+{node.key}.{SHORTCUT}={layer}"


def _between(taken: tuple[int, ...], made: tuple[int, ...]) -> str | None:
    """A layer that makes one shape of the other, where one of few words does."""
    if len(taken) != len(made) or len(taken) < 2:
        return None
    features, inner = made[-1], [-(-old // new) for old, new in zip(taken[1:-1], made[1:-1], strict=True)]
    if taken[1:-1] == made[1:-1]:
        return f"{{dense: {{features: {features}}}}}"
    strides = set(inner)
    exact = all(-(-old // stride) == new for old, new, stride in zip(taken[1:-1], made[1:-1], inner, strict=True))
    if len(strides) > 1 or not exact:
        return None
    return f"{{conv: {{features: {features}, kernel: 1, strides: {strides.pop()}}}}}"
