"""Computes array expressions such as `x * sigmoid(x)`, which `config.language.expression` has read and vetted."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from framework.config.language.expression import (
    CONSTANTS,
    LAX_FUNCTIONS,
    NN_FUNCTIONS,
    ExpressionError,
    parse,
)
from framework.config.language.formula import combine_numbers

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def evaluate(text: str, values: Mapping[str, Any]) -> jax.Array:
    """The value of an array expression.

    A pure function of `values`: it can be differentiated, vectorized and compiled like any other.

    Args:
      text: the expression; `framework.config.language.expression` holds the grammar.
      values: arrays and constants by the names that the expression reads.

    Raises:
      ExpressionError: the expression is not allowed, or reads a name that `values` does not hold.
      ValueError, TypeError: shapes or dtypes do not fit.
    """
    return jnp.asarray(_value(parse(text), values))


@cache
def function(name: str) -> Callable[..., Any]:
    """The function that an expression calls by `name`."""
    if name in NN_FUNCTIONS:
        return getattr(jax.nn, name)
    if name in LAX_FUNCTIONS:
        return getattr(lax, name)
    return getattr(jnp, name)


def _value(node: ast.AST, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            if node.id in values:
                return values[node.id]
            if node.id in CONSTANTS:
                return CONSTANTS[node.id]
            raise ExpressionError(f"nothing is called '{node.id}'", ", ".join(values))
        case ast.Call(func=ast.Name(id=name)):
            arguments = [_value(item, values) for item in node.args]
            named = {str(item.arg): _value(item.value, values) for item in node.keywords}
            return function(name)(*arguments, **named)
        case ast.BinOp():
            return _combine(node.op, _value(node.left, values), _value(node.right, values))
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_value(node.operand, values))
        case ast.Compare(ops=[op], comparators=[right]):
            return _COMPARE[type(op)](_value(node.left, values), _value(right, values))
        case ast.Subscript():
            return _value(node.value, values)[_value(node.slice, values)]
        case ast.Slice():
            parts = (node.lower, node.upper, node.step)
            return slice(*(None if part is None else _value(part, values) for part in parts))
        case ast.Tuple() | ast.List():
            return tuple(_value(item, values) for item in node.elts)
        case ast.Attribute():
            return getattr(jnp.asarray(_value(node.value, values)), node.attr)
    raise ExpressionError(f"expressions have no {type(node).__name__}")


def _combine(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(left, int | float) and isinstance(right, int | float) and not isinstance(op, _BITWISE):
        return combine_numbers(op, left, right)  # bounded: 9**9**9 must not keep a machine busy
    return _BINARY[type(op)](left, right)


_BITWISE = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.MatMult)
