"""Changes of shape, and sums over axes. The first axis, the batch, always stays first."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.fields import DType, Integers, Positive


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


def _outside_batch(value: int) -> int:
    if value == 0:
        raise ValueError("found 0, which is the batch; expected an axis of the example, e.g. -1")
    return value


_Axis = Annotated[int, AfterValidator(_outside_batch)]
_AXIS = "axis, counted with the batch as 0; negative from the end"


class Stack(LayerSpec):
    """Joins arrays of one shape along a new axis.

    Shapes: with axis -1, [batch, ...] of n inputs -> [batch, ..., n].
    """

    op: ClassVar[str] = "stack"
    inputs: ClassVar[tuple[str, ...] | None] = None
    shape: ClassVar[str] = "[batch, ...], [batch, ...], ... -> [batch, ..., inputs]"

    axis: _Axis = Field(-1, description=f"place of the new {_AXIS}")


class Split(LayerSpec):
    """Cuts an array into parts along one axis; others read them as `node.0`, `node.1` and so on.

    Shapes: [batch, ..., a + b + ...] -> [batch, ..., a], [batch, ..., b], ...
    """

    op: ClassVar[str] = "split"
    shape: ClassVar[str] = "[batch, ..., a + b + ...] -> [batch, ..., a], [batch, ..., b], ..."
    several: ClassVar[bool] = True

    parts: Positive | None = Field(None, description="number of equal parts")
    sizes: Integers | None = Field(None, description="sizes of the parts, where they are not equal")
    axis: _Axis = Field(-1, description=f"{_AXIS}")

    @field_validator("sizes")
    @classmethod
    def _positive(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and (not value or min(value) < 1):
            raise ValueError(f"found {list(value)}; expected positive sizes")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.parts is None) == (self.sizes is None):
            raise ValueError("either parts or sizes is needed, and not both")
        return self


class Slice(LayerSpec):
    """Takes a range of positions along one axis, as `x[start:stop:step]` does in Python.

    Shapes: [batch, ..., a, ...] -> [batch, ..., a', ...].
    """

    op: ClassVar[str] = "slice"
    shape: ClassVar[str] = "[batch, ..., a, ...] -> [batch, ..., a', ...]"

    axis: _Axis = Field(1, description=f"{_AXIS}")
    start: int | None = Field(None, description="first position; null: the first there is")
    stop: int | None = Field(None, description="position before which to end; null: behind the last")
    step: Positive = Field(1, description="step between positions")


class Select(LayerSpec):
    """Takes one position along an axis, which goes away, e.g. the class token of a sequence.

    Shapes: with axis 1, [batch, time, features] -> [batch, features].
    """

    op: ClassVar[str] = "select"
    shape: ClassVar[str] = "[batch, ..., a, ...] -> [batch, ...]"

    index: int = Field(0, description="position; negative from the end")
    axis: _Axis = Field(1, description=f"{_AXIS}")


class ExpandDims(LayerSpec):
    """Puts in an axis of size 1.

    Shapes: with axis -1, [batch, ...] -> [batch, ..., 1].
    """

    op: ClassVar[str] = "expand_dims"
    shape: ClassVar[str] = "[batch, ...] -> [batch, ..., 1]"

    axis: _Axis = Field(-1, description=f"place of the new {_AXIS}")


class Squeeze(LayerSpec):
    """Removes axes of size 1.

    Shapes: [batch, ..., 1, ...] -> [batch, ...].
    """

    op: ClassVar[str] = "squeeze"
    shape: ClassVar[str] = "[batch, ..., 1, ...] -> [batch, ...]"

    axes: Integers | None = Field(None, description="axes to remove; null: all of size 1 but the batch")

    @field_validator("axes")
    @classmethod
    def _not_the_batch(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and 0 in value:
            raise ValueError(f"found {list(value)}; expected axes of the example, without 0, the batch")
        return value


class Flip(LayerSpec):
    """Turns the order of positions along some axes around.

    Shapes: any -> same.
    """

    op: ClassVar[str] = "flip"
    shape: ClassVar[str] = "[batch, ...] -> same"

    axes: Integers = Field(description="axes of the example, counted with the batch as 0; negative from the end")

    @field_validator("axes")
    @classmethod
    def _not_the_batch(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or 0 in value:
            raise ValueError(f"found {list(value)}; expected axes of the example, without 0, the batch")
        return value


class Roll(LayerSpec):
    """Moves positions along some axes; what leaves at one end comes in at the other.

    y[..., (p + shift) mod size, ...] = x[..., p, ...]

    Shapes: any -> same.
    Source: the cyclic shift of Liu et al., arXiv:2103.14030, section 3.2.
    """

    op: ClassVar[str] = "roll"
    shape: ClassVar[str] = "[batch, ...] -> same"

    shifts: Integers = Field(description="how far to move, for each of the axes")
    axes: Integers = Field(description="axes of the example, counted with the batch as 0; negative from the end")

    @field_validator("axes")
    @classmethod
    def _not_the_batch(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if 0 in value or len(value) != len(info.data.get("shifts", value)):
            raise ValueError(f"found {list(value)}; expected as many axes as shifts, without 0, the batch")
        return value


class Tile(LayerSpec):
    """Repeats an array along its axes.

    Shapes: with counts [n, 1], [batch, a, b] -> [batch, n·a, b].
    """

    op: ClassVar[str] = "tile"
    shape: ClassVar[str] = "[batch, a, b, ...] -> [batch, n·a, m·b, ...]"

    counts: Integers = Field(description="how often, for each axis but the batch")

    @field_validator("counts")
    @classmethod
    def _positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 1:
            raise ValueError(f"found {list(value)}; expected a positive integer for each axis but the batch")
        return value


class RepeatVector(LayerSpec):
    """Gives the same vector at every position of a new sequence.

    y[b, t, :] = x[b, :]

    Shapes: [batch, features] -> [batch, times, features].
    """

    op: ClassVar[str] = "repeat_vector"
    shape: ClassVar[str] = "[batch, features] -> [batch, times, features]"

    times: Positive = Field(description="number of positions")


class ChannelShuffle(LayerSpec):
    """Interleaves groups of channels, so that a grouped convolution behind it sees all of them.

    y[..., j·groups + g] = x[..., g·(channels / groups) + j]

    Shapes: [batch, ..., channels] -> same.
    Source: Zhang et al., arXiv:1707.01083, section 3.1.
    """

    op: ClassVar[str] = "channel_shuffle"
    shape: ClassVar[str] = "[batch, ..., channels] -> same"

    groups: Positive = Field(2, description="number of groups; divides the channels")


class Reduce(LayerSpec):
    """One number out of all those along some axes: their mean, sum, largest, and so on.

    `norm` is sqrt(sum x²), `logsumexp` log sum exp x, `var` and `std` are of all values (divided by their number).

    Shapes: with axes [1], [batch, time, features] -> [batch, features], or [batch, 1, features] with `keep_dims`.
    """

    op: ClassVar[str] = "reduce"
    shape: ClassVar[str] = "[batch, ..., a, ...] -> [batch, ...]"

    how: Literal["mean", "sum", "max", "min", "prod", "logsumexp", "norm", "std", "var"] = Field(
        "mean", description="what is computed"
    )
    axes: Integers | None = Field(None, description="axes, counted with the batch as 0; null: all but the batch")
    keep_dims: bool = Field(False, description="leave each of these axes with size 1 instead of removing it")

    @field_validator("axes")
    @classmethod
    def _not_the_batch(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and (not value or 0 in value):
            raise ValueError(f"found {list(value)}; expected axes of the example, without 0, the batch")
        return value


class OneHot(LayerSpec):
    """A vector with a one at the place that an integer names and zeros elsewhere.

    y[..., j] = 1 where x[...] = j, else 0; an integer outside of [0, classes) gives zeros.

    Shapes: integers [batch, ...] -> [batch, ..., classes].
    """

    op: ClassVar[str] = "one_hot"
    shape: ClassVar[str] = "integers [batch, ...] -> [batch, ..., classes]"

    classes: Positive = Field(description="number of different integers; the largest is classes - 1")
    dtype: DType | None = Field(
        None, description="number format of the output; null: trainer.precision, or else float32"
    )
