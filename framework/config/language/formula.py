"""Formulas: `=4 * features` in a declaration, evaluated over the arguments of its block or network.

A formula is Python's expression syntax cut down to arithmetic, comparisons, `a if c else b`, lists, indexing and a few
functions. It is walked as a syntax tree and never handed to `eval`, and its numbers are kept small, so a recipe from a
stranger can neither run code nor keep a machine busy.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from framework.core.words import closest, listed

MAX_LENGTH = 1000
MAX_BITS = 64

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "float": float,
    "floor": math.floor,
    "int": int,
    "len": len,
    "max": max,
    "min": min,
    "round": round,
    "sqrt": math.sqrt,
    "sum": sum,
}

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}
GRAMMAR = f"numbers, arguments, + - * / // % **, comparisons, 'a if c else b', indexing, {listed(sorted(FUNCTIONS))}"


class FormulaError(Exception):
    """A formula cannot be read or evaluated.

    Attributes:
      expected: what would have been right, where that is known.
      near: a name that is unknown, and the known one that is probably meant.
      by_zero: it divides by zero.
    """

    def __init__(
        self, found: str, expected: str | None = None, *, near: tuple[str, str] | None = None, by_zero: bool = False
    ) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected
        self.near = near
        self.by_zero = by_zero


def is_formula(value: Any) -> bool:
    """Whether a value of a declaration is a formula: a string that begins with `=`."""
    return isinstance(value, str) and value.startswith("=")


@lru_cache(maxsize=4096)
def parse(formula: str) -> ast.expr:
    """The syntax tree of a formula, all of whose constructs are allowed.

    Raises:
      FormulaError: it is not an expression, is too long, or uses something that formulas do not have.
    """
    text = formula.removeprefix("=").strip()
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"a formula of {len(text)} characters", f"at most {MAX_LENGTH}")
    try:
        tree = ast.parse(text, mode="eval").body
        _vet(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too deep or not text"
        raise FormulaError(f"formula '{formula}' cannot be read: {reason}", GRAMMAR) from None
    return tree


def names(formula: str) -> frozenset[str]:
    """The arguments that a formula reads."""
    tree = parse(formula)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)


def bare_name(formula: str) -> str | None:
    """The argument that a formula is, when it is nothing but one argument: `=features`."""
    tree = parse(formula)
    return tree.id if isinstance(tree, ast.Name) else None


def evaluate(formula: str, arguments: Mapping[str, Any]) -> Any:
    """The value of a formula over arguments by name.

    Raises:
      FormulaError: a name is unknown, a number is divided by zero or grows beyond 64 bits, or types do not fit.
    """
    tree = parse(formula)
    unknown = sorted(names(formula) - set(arguments))
    if unknown:
        near = closest(unknown[0], arguments)
        hint = f" (did you mean '{near}'?)" if near else ""
        raise FormulaError(
            f"formula '{formula}' reads '{unknown[0]}', which is no argument here{hint}",
            f"arguments: {listed(arguments)}",
            near=(unknown[0], near) if near else None,
        )
    try:
        return _value(tree, arguments)
    except ZeroDivisionError:
        raise FormulaError(
            f"formula '{formula}' divides by zero{_where(formula, arguments)}", "a divisor that is not 0", by_zero=True
        ) from None
    except (TypeError, ValueError, IndexError, KeyError, OverflowError, AttributeError) as error:
        raise FormulaError(
            f"formula '{formula}' cannot be evaluated{_where(formula, arguments)}: {_reason(error)}"
        ) from None


def _reason(error: Exception) -> str:
    return f"no entry {error}" if isinstance(error, KeyError) else str(error)


def _where(formula: str, arguments: Mapping[str, Any]) -> str:
    read = ", ".join(f"{name}={arguments[name]!r}" for name in sorted(names(formula)))
    return f" with {read}" if read else ""


def _vet(node: ast.AST) -> None:
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, bool | int | float | str):
            if isinstance(value, int) and not isinstance(value, bool):
                _bounded(value)
        case ast.Name() | ast.Load():
            pass
        case ast.BinOp(op=op) if type(op) in _BINARY:
            _vet(node.left)
            _vet(node.right)
        case ast.UnaryOp(op=op) if type(op) in _UNARY:
            _vet(node.operand)
        case ast.BoolOp():
            for value in node.values:
                _vet(value)
        case ast.Compare(ops=ops) if all(type(op) in _COMPARE for op in ops):
            for value in (node.left, *node.comparators):
                _vet(value)
        case ast.IfExp():
            for value in (node.test, node.body, node.orelse):
                _vet(value)
        case ast.List() | ast.Tuple():
            for value in node.elts:
                _vet(value)
        case ast.Subscript():
            _vet(node.value)
            _vet(node.slice)
        case ast.Slice():
            for value in (node.lower, node.upper, node.step):
                if value is not None:
                    _vet(value)
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
            for value in node.args:
                _vet(value)
        case ast.Call(func=ast.Name(id=name)):
            near = closest(name, FUNCTIONS)
            raise FormulaError(
                f"formulas have no function '{name}'" + (f" (did you mean '{near}'?)" if near else ""),
                f"functions: {listed(sorted(FUNCTIONS))}, with arguments by position",
            )
        case _:
            raise FormulaError(f"formulas have no {type(node).__name__}", GRAMMAR)


def _value(node: ast.AST, arguments: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return arguments[node.id]
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_value(node.operand, arguments))
        case ast.BinOp():
            return _combine(node.op, _value(node.left, arguments), _value(node.right, arguments))
        case ast.BoolOp():
            stop_at = isinstance(node.op, ast.Or)
            value: Any = not stop_at
            for item in node.values:
                value = _value(item, arguments)
                if bool(value) is stop_at:
                    break
            return value
        case ast.Compare():
            left = _value(node.left, arguments)
            for op, item in zip(node.ops, node.comparators, strict=True):
                right = _value(item, arguments)
                if not _COMPARE[type(op)](left, right):
                    return False
                left = right
            return True
        case ast.IfExp():
            return _value(node.body if _value(node.test, arguments) else node.orelse, arguments)
        case ast.List() | ast.Tuple():
            return tuple(_value(item, arguments) for item in node.elts)
        case ast.Subscript():
            return _value(node.value, arguments)[_value(node.slice, arguments)]
        case ast.Slice():
            parts = (node.lower, node.upper, node.step)
            return slice(*(None if part is None else _value(part, arguments) for part in parts))
        case ast.Call(func=ast.Name(id=name)):
            return _bounded(FUNCTIONS[name](*(_value(item, arguments) for item in node.args)))
    raise FormulaError(f"formulas have no {type(node).__name__}", GRAMMAR)


def _combine(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(op, ast.Add) and isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return (*left, *right)
    if isinstance(op, ast.Mult) and isinstance(left, list | tuple) and isinstance(right, int):
        if len(left) * right > MAX_LENGTH:
            raise ValueError(f"a list of {len(left) * right} items is too long")
        return tuple(left) * right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return combine_numbers(op, left, right)
    if isinstance(op, ast.Add) and isinstance(left, str) and isinstance(right, str):
        return left + right
    raise TypeError(f"numbers are expected, found {left!r} and {right!r}")


def combine_numbers(op: ast.operator, left: float, right: float) -> Any:
    """The result of an arithmetic operator on two numbers.

    Raises:
      ValueError: it is no real number, or has more than 64 bits.
      ZeroDivisionError: a division by zero.
    """
    if isinstance(op, ast.Pow) and left and right * math.log2(abs(left)) > MAX_BITS:
        raise ValueError(f"{left} ** {right} is out of range")
    value = _BINARY[type(op)](left, right)
    if isinstance(value, complex):
        raise ValueError(f"{left} ** {right} is not a real number")
    return _bounded(value)


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ValueError("a number beyond 64 bits")
    return value
