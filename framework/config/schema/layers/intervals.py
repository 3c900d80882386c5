"""Intervals that layers draw from."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WrapValidator

from framework.config.schema.base import Number
from framework.config.schema.layers.fields import tupled

_Positive = Annotated[Number, Field(gt=0)]
_Share = Annotated[Number, Field(gt=0, le=1)]


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("the first must not be greater than the second")
    return pair


Shares = Annotated[
    tuple[_Share, _Share],
    AfterValidator(_ordered),
    WrapValidator(tupled("expected two numbers above 0 and up to 1, the smaller first, e.g. [0.1, 0.5]")),
]
"""Two shares between which one is drawn."""

Ratios = Annotated[
    tuple[_Positive, _Positive],
    AfterValidator(_ordered),
    WrapValidator(tupled("expected two positive numbers, the smaller first, e.g. [0.5, 2]")),
]
"""Two ratios between which one is drawn."""
