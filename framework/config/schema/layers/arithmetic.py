"""Operations between whole arrays, and those that pass one on.

Arrays that are combined have the same rank, and in each axis the same size or size 1, which is repeated.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, field_validator

from framework.config.schema.layers.base import LayerSpec, SameShape
from framework.config.schema.layers.fields import DType

_ALL = "[batch, ...], [batch, ...], ... -> [batch, ...]"


class Add(LayerSpec):
    """Sum of all inputs.

    y = x1 + x2 + ...

    Shapes: all of one rank, sizes equal or 1 -> the largest size in each axis.
    """

    op: ClassVar[str] = "add"
    inputs: ClassVar[tuple[str, ...] | None] = None
    shape: ClassVar[str] = _ALL


class Multiply(LayerSpec):
    """Product of all inputs, element by element.

    y = x1 · x2 · ...

    Shapes: all of one rank, sizes equal or 1 -> the largest size in each axis.
    """

    op: ClassVar[str] = "multiply"
    inputs: ClassVar[tuple[str, ...] | None] = None
    shape: ClassVar[str] = _ALL


class Subtract(LayerSpec):
    """Difference of two inputs.

    z = x - y

    Shapes: both of one rank, sizes equal or 1 -> the largest size in each axis.
    """

    op: ClassVar[str] = "subtract"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "y")
    shape: ClassVar[str] = "[batch, ...], [batch, ...] -> [batch, ...]"


class Average(LayerSpec):
    """Mean of all inputs, element by element.

    y = (x1 + ... + xn) / n

    Shapes: all of one rank, sizes equal or 1 -> the largest size in each axis.
    """

    op: ClassVar[str] = "average"
    inputs: ClassVar[tuple[str, ...] | None] = None
    shape: ClassVar[str] = _ALL


class Identity(SameShape):
    """Passes its input on, e.g. to give it a name.

    Shapes: any -> same.
    """

    op: ClassVar[str] = "identity"


class StopGradient(SameShape):
    """Passes its input on, but no gradient back.

    Shapes: any -> same.
    """

    op: ClassVar[str] = "stop_gradient"


class Cast(SameShape):
    """Converts its input to another number format.

    Shapes: any -> same.
    """

    op: ClassVar[str] = "cast"

    dtype: DType = Field(description="number format of the output")


class Maximum(LayerSpec):
    """Largest of all inputs, element by element.

    y = max(x1, x2, ...)

    Shapes: all of one rank, sizes equal or 1 -> the largest size in each axis.
    """

    op: ClassVar[str] = "maximum"
    inputs: ClassVar[tuple[str, ...] | None] = None
    shape: ClassVar[str] = _ALL


class Minimum(LayerSpec):
    """Smallest of all inputs, element by element.

    y = min(x1, x2, ...)

    Shapes: all of one rank, sizes equal or 1 -> the largest size in each axis.
    """

    op: ClassVar[str] = "minimum"
    inputs: ClassVar[tuple[str, ...] | None] = None
    shape: ClassVar[str] = _ALL


class Divide(LayerSpec):
    """Quotient of two inputs.

    z = x / y

    Shapes: both of one rank, sizes equal or 1 -> the largest size in each axis.
    """

    op: ClassVar[str] = "divide"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "y")
    shape: ClassVar[str] = "[batch, ...], [batch, ...] -> [batch, ...]"


class Dot(LayerSpec):
    """Product of two inputs, summed over one axis of each.

    z[b, i..., j...] = sum_k x[b, i..., k] y[b, j..., k], for the last axis of each; with `normalize`, the cosine of the
    angle between the two vectors

    Shapes: [batch, features], [batch, features] -> [batch, 1]; [batch, s, features], [batch, t, features]
    -> [batch, s, t].
    """

    op: ClassVar[str] = "dot"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "y")
    shape: ClassVar[str] = "[batch, ..., features], [batch, ..., features] -> [batch, ..., ...]"

    axes: tuple[int, int] | int = Field(
        -1, description="axis of both, or [of the first, of the second], counted with the batch as 0"
    )
    normalize: bool = Field(False, description="divide each vector by its length first: cosine similarity")

    @field_validator("axes", mode="wrap")
    @classmethod
    def _not_the_batch(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            axes = handler(tuple(value) if isinstance(value, list) else value)
        except ValidationError as error:
            raise ValueError(f"found {value!r}; expected an axis, or a list of two") from error
        if axes == 0 or (isinstance(axes, tuple) and 0 in axes):
            raise ValueError(f"found {value!r}, and 0 is the batch; expected axes of the example, e.g. -1")
        return axes
