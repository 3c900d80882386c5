"""What losses and metrics that are written out as formulas share."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from framework.config.language.expression import ExpressionError, free_names
from framework.config.schema.base import KeyPath, Spec


def _readable(text: str) -> str:
    try:
        free_names(text)
    except ExpressionError as error:
        raise ValueError(f"{error.found}; expected {error.expected}" if error.expected else error.found) from None
    return text


Expression = Annotated[str, AfterValidator(_readable)]
"""An array expression, such as `square(a - b)`, that can be read."""


class Formula(Spec):
    """An array expression over wired arrays."""

    expression: Expression = Field(description="over jax.numpy, one value for each example, e.g. square(a - b)")
    inputs: dict[str, KeyPath] = Field(min_length=1, description="name in the expression -> key path")

    @model_validator(mode="after")
    def _all_wired(self) -> Self:
        names = free_names(self.expression)
        lacking = [name for name in names if name not in self.inputs]
        unread = [name for name in self.inputs if name not in names]
        if lacking:
            raise ValueError(f"inputs: the expression reads '{lacking[0]}', which inputs does not name")
        if unread:
            raise ValueError(f"inputs: the expression does not read '{unread[0]}'")
        return self
