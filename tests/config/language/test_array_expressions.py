"""Array expressions are vetted without JAX: what they read, and what they refuse."""

from __future__ import annotations

import re

import pytest

from framework.config.language.expression import ExpressionError, free_names, parse

READ: list[tuple[str, tuple[str, ...]]] = [
    ("x * sigmoid(x)", ("x",)),
    ("b + a * b", ("b", "a")),
    ("where(x > 0, x, exp(x) - 1)", ("x",)),
    ("mean(x[:, 1:], axis=-1, keepdims=True)", ("x",)),
    ("2 * pi * r ** 2", ("r",)),
    ("einsum('bi,bj->bij', a, b)", ("a", "b")),
    ("x / x.shape[-1]", ("x",)),
    ("x[..., None] @ y", ("x", "y")),
    ("(x > 0) & ~(x > 1)", ("x",)),
]


@pytest.mark.parametrize(("text", "names"), READ, ids=[text for text, _ in READ])
def test_expression_reads_these_names(text: str, names: tuple[str, ...]) -> None:
    assert free_names(text) == names


REFUSED: list[tuple[str, str, str]] = [
    ("x *", "cannot be read", "numbers, inputs"),
    ("x.tolist()", "no methods, such as '.tolist", ""),
    ("x.mean", r"no attribute '\.mean'", r"mean\(x\)"),
    ("x.__class__", r"no attribute '\.__class__'", "attributes: T, ndim, shape, size"),
    ("sigmod(x)", r"no function 'sigmod' \(did you mean 'sigmoid'\?\)", "jax.numpy or jax.nn"),
    ("__import__('os')", "no function '__import__'", ""),
    ("x if x else 0", "no IfExp", r"where\(condition, a, b\)"),
    ("x and y", "no BoolOp", "use & and |"),
    ("not x", "no Not", "use ~x"),
    ("0 < x < 1", "no chained", r"\(a < b\) & \(b < c\)"),
    ("lambda: x", "no Lambda", ""),
    ("[a for a in x]", "no ListComp", ""),
    ("sum(*x)", "no Starred", ""),
    ("sum(**x)", r"no \*\*", ""),
    ("x ** 1000", "an exponent of 1000", "at most 64"),
    ("x + " * 500 + "x", "characters|parts", "at most"),
    ("f(x)(y)", "by their names only", ""),
    ("x + b'1'", "no constant", ""),
]


@pytest.mark.parametrize(("text", "found", "expected"), REFUSED, ids=[text[:20] for text, _, _ in REFUSED])
def test_expression_is_refused(text: str, found: str, expected: str) -> None:
    with pytest.raises(ExpressionError, match=found) as raised:
        parse(text)
    if expected:
        assert re.search(expected, raised.value.expected or "")
