"""Changes of shape that leave the values as they are. The first axis, the batch, always stays first."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.fields import Integers


class Flatten(LayerSpec):
    """Lays all axes after the batch out as one.

    Shapes: [batch, a, b, ...] -> [batch, a·b·...]; [batch] -> [batch, 1].
    """

    op: ClassVar[str] = "flatten"
    shape: ClassVar[str] = "[batch, ...] -> [batch, features]"


class Reshape(LayerSpec):
    """Gives the axes after the batch a new shape with as many elements.

    Shapes: [batch, ...] -> [batch, *shape].
    """

    op: ClassVar[str] = "reshape"

    shape: Integers = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        description="sizes after the batch; one may be -1, which is then worked out"
    )

    @field_validator("shape")
    @classmethod
    def _one_unknown(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if sum(size == -1 for size in value) > 1 or any(size < 1 and size != -1 for size in value):
            raise ValueError(f"found {list(value)}; expected positive sizes, of which one may be -1, without the batch")
        return value


# The class documents its shapes under the name that an instance has for its argument.
Reshape.shape = "[batch, ...] -> [batch, *shape]"  # pyright: ignore[reportAttributeAccessIssue]


class Transpose(LayerSpec):
    """Puts the axes after the batch into another order.

    Shapes: with axes [2, 1], [batch, time, features] -> [batch, features, time].
    """

    op: ClassVar[str] = "transpose"
    shape: ClassVar[str] = "[batch, a, b, ...] -> [batch, ..., b, a]"

    axes: Integers | None = Field(
        None, description="all axes but the batch (which is 0) in their new order; null: the reverse order"
    )

    @field_validator("axes")
    @classmethod
    def _a_permutation(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and sorted(value) != list(range(1, len(value) + 1)):
            raise ValueError(f"found {list(value)}; expected each of the axes 1, 2, ... once, without 0, the batch")
        return value


class Concat(LayerSpec):
    """Joins arrays along one axis.

    Shapes: [batch, ..., a], [batch, ..., b] -> [batch, ..., a + b]; all other sizes must agree.
    """

    op: ClassVar[str] = "concat"
    inputs: ClassVar[tuple[str, ...] | None] = None
    shape: ClassVar[str] = "[batch, ..., a], [batch, ..., b], ... -> [batch, ..., a + b + ...]"

    axis: int = Field(-1, description="axis to join along, counted with the batch as 0; negative from the end")

    @field_validator("axis")
    @classmethod
    def _not_the_batch(cls, value: int) -> int:
        if value == 0:
            raise ValueError("found 0, which is the batch; expected an axis of the example, e.g. -1")
        return value
