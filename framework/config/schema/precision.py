"""The number format of a whole network; what other libraries call it is answered with ours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from framework.config.schema.base import CrossFieldError
from framework.core.errors import Problem
from framework.core.familiar import familiar_value

_FORMATS = ("float32", "bfloat16")
_NARROW = ("float16", "fp16", "f16", "16")


def _told(value: Any) -> Any:
    """The value; a word or a number of bits that is no format is a problem, which names the one most likely meant."""
    if value in _FORMATS or not isinstance(value, str | int):
        return value
    word = str(value).lower()
    found = f"unknown value '{word}'"
    if any(part in _NARROW for part in word.replace("_", "-").split("-")):
        found = f"'{word}': small gradients vanish in float16 unless the loss is scaled, which is not done here"
    near = familiar_value("precision", word) or "bfloat16"
    raise CrossFieldError(Problem("", found, "one of float32, bfloat16, or null", fix=f"trainer.precision={near}"))


Precision = Annotated[Literal["float32", "bfloat16"], BeforeValidator(_told)]
"""A floating number format that a network computes in; its parameters are in float32 all the same."""
