"""Operations between whole arrays, and those that pass one on.

Arrays that are combined have the same rank, and in each axis the same size or size 1, which is repeated.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

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
