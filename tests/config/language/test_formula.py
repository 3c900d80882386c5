"""Formulas: what they compute, what they refuse, and that they stay small."""

from __future__ import annotations

from typing import Any

import pytest

from framework.config.language.formula import FormulaError, evaluate, names

ARGUMENTS = {"features": 64, "rate": 0.1, "widths": (8, 16, 32), "kind": "relu", "deep": True, "none": None}

VALUES: list[tuple[str, Any]] = [
    ("=features", 64),
    ("= features * 4", 256),
    ("=features // 3", 21),
    ("=features % 10", 4),
    ("=features / 2", 32.0),
    ("=2 ** 10", 1024),
    ("=-features + 70", 6),
    ("=2 ** -1", 0.5),
    ("=1 if deep else 2", 1),
    ("=1 if features > 100 else 2", 2),
    ("=0 < rate < 1", True),
    ("=kind == 'relu'", True),
    ("=kind in ['relu', 'gelu']", True),
    ("=kind not in ['relu']", False),
    ("=not deep", False),
    ("=deep and features", 64),
    ("=none or 5", 5),
    ("=min(features, 10)", 10),
    ("=max(1, features // 32, 3)", 3),
    ("=round(features * rate)", 6),
    ("=int(6.9)", 6),
    ("=abs(-3)", 3),
    ("=len(widths)", 3),
    ("=sum(widths)", 56),
    ("=ceil(features / 10)", 7),
    ("=floor(features / 10)", 6),
    ("=sqrt(features)", 8.0),
    ("=float(features)", 64.0),
    ("=widths[0]", 8),
    ("=widths[-1]", 32),
    ("=widths[1:]", (16, 32)),
    ("=widths + [64]", (8, 16, 32, 64)),
    ("=[features] * 2", (64, 64)),
    ("=[features, 2 * features]", (64, 128)),
    ("='hard_' + 'tanh'", "hard_tanh"),
    ("=None", None),
]


@pytest.mark.parametrize(("formula", "expected"), VALUES, ids=[formula for formula, _ in VALUES])
def test_formula_has_this_value(formula: str, expected: Any) -> None:
    value = evaluate(formula, ARGUMENTS)
    assert value == expected
    assert type(value) is type(expected)


REFUSED: list[tuple[str, str]] = [
    ("=features / 0", "divides by zero with features=64"),
    ("=1 % 0", "divides by zero"),
    ("=feature * 2", r"reads 'feature', which is no argument here \(did you mean 'features'\?\)"),
    ("=kind + 1", "numbers are expected, found 'relu' and 1"),
    ("=widths[9]", "out of range"),
    ("=features +", "cannot be read"),
    ("=", "cannot be read"),
    ("=lambda: 1", "no Lambda"),
    ("=[x for x in widths]", "no ListComp"),
    ("=features.bit_length()", "no Call|no Attribute|no function"),
    ("=().__class__", "no Attribute"),
    ("=__import__('os')", "no function '__import__'"),
    ("=eval('1')", "no function 'eval'"),
    ("=mim(1, 2)", r"no function 'mim' \(did you mean 'min'\?\)"),
    ("=max(widths, key=len)", "no function 'max'"),
    ("=9 ** 9 ** 9", "out of range"),
    ("=10 ** 30", "out of range"),
    ("=9223372036854775807 * 9223372036854775807", "beyond 64 bits"),
    ("=[0] * 99999", "too long"),
    ("='a' * 3", "numbers are expected"),
    ("=(-8) ** 0.5", "not a real number"),
    ("=features if", "cannot be read"),
    ("=f'{features}'", "no JoinedStr"),
    ("={1: 2}", "no Dict"),
    ("=(y := 3)", "no NamedExpr"),
    ("=" + "1+" * 600 + "1", "characters"),
    ("=" + "(" * 300 + "1" + ")" * 300, "cannot be read"),
    ("=2.0 ** 5000", "out of range"),
]


@pytest.mark.parametrize(("formula", "text"), REFUSED, ids=[formula[:30] for formula, _ in REFUSED])
def test_formula_is_refused(formula: str, text: str) -> None:
    with pytest.raises(FormulaError, match=text):
        evaluate(formula, ARGUMENTS)


def test_names_are_the_arguments_and_not_the_functions() -> None:
    assert names("=max(features, len(widths)) if deep else rate") == {"features", "widths", "deep", "rate"}


def test_untaken_branch_is_not_evaluated() -> None:
    assert evaluate("=0 if features else 1 / 0", ARGUMENTS) == 0
