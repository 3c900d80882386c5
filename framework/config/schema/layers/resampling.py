"""Changes of the number of positions in space, channels last: resizing, moving between space and channels, edges."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, WrapValidator, model_validator

from framework.config.schema.base import Number
from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.fields import SIDES, NonNegative, Positive, Sides, Size, Sizes, tupled

_SPACE = "[batch, *space, channels] -> [batch, *space', channels]"
_FACTORS = "expected a positive number, or a list with one for each space dimension, e.g. 2 or [2, 1.5]"
_Factor = Annotated[Number, Field(gt=0)]

Factors = Annotated[
    _Factor | Annotated[tuple[_Factor, ...], Field(min_length=1, max_length=3)], WrapValidator(tupled(_FACTORS))
]
"""A positive factor for all space dimensions, or one for each."""

Edges = Annotated[NonNegative | Sides, WrapValidator(tupled(f"expected {SIDES}"))]
"""A number of positions at all sides, or for each space dimension one number or a [before, after] pair."""


class Resize(LayerSpec):
    """Interpolates to another number of positions.

    An output position p looks at (p + 1/2) · space / space' - 1/2, or, with `align_corners`, at
    p · (space - 1) / (space' - 1). `nearest` takes the closest element, `bilinear` weighs two along each dimension by
    their distance, `bicubic` four by Keys' kernel with a = -1/2, and `lanczos3` and `lanczos5` 6 and 10.

    Shapes: [batch, *space, channels] -> [batch, *space', channels]; space' is `size`, or floor(space · scale).
    Source: Keys, IEEE Trans. ASSP 29 (1981), equation 15 (bicubic).
    """

    op: ClassVar[str] = "resize"
    shape: ClassVar[str] = _SPACE

    size: Size | None = Field(None, description="positions of the output, one for all space dimensions or a list")
    scale: Factors | None = Field(None, description="factor of enlargement, where `size` is not given")
    method: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = Field(
        "nearest", description="interpolation"
    )
    antialias: bool = Field(False, description="where positions get fewer, widen the kernel so that all count")
    align_corners: bool = Field(False, description="let first and last positions of input and output coincide")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.size is None) == (self.scale is None):
            raise ValueError("either size or scale is needed, and not both")
        if self.align_corners and self.method == "nearest":
            raise ValueError("align_corners has no meaning with method nearest")
        return self


class PixelShuffle(LayerSpec):
    """Spreads groups of channels over a finer grid, the channel running slowest.

    y[b, f·p + r, c] = x[b, p, (c·f + r1)·f + r2], for two space dimensions with r = (r1, r2)

    Shapes: [batch, *space, channels · factor^dims] -> [batch, *(space · factor), channels].
    Source: Shi et al., arXiv:1609.05158, equation 4, with the order of channels as PyTorch has it.
    """

    op: ClassVar[str] = "pixel_shuffle"
    shape: ClassVar[str] = "[batch, *space, channels · factor^dims] -> [batch, *(space · factor), channels]"

    factor: Positive = Field(2, description="factor of enlargement of each space dimension")


class PixelUnshuffle(LayerSpec):
    """Gathers blocks of positions into channels, the channel running slowest.

    The inverse of `pixel_shuffle`.

    y[b, p, (c·f + r1)·f + r2] = x[b, f·p + r, c], for two space dimensions with r = (r1, r2)

    Shapes: [batch, *space, channels] -> [batch, *(space / factor), channels · factor^dims].
    """

    op: ClassVar[str] = "pixel_unshuffle"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, *(space / factor), channels · factor^dims]"

    factor: Positive = Field(2, description="side of a block; divides each space dimension")


class SpaceToDepth(LayerSpec):
    """Gathers blocks of positions into channels, the channel running fastest.

    y[b, p, (r1·f + r2)·channels + c] = x[b, f·p + r, c], for two space dimensions with r = (r1, r2)

    Shapes: [batch, *space, channels] -> [batch, *(space / factor), factor^dims · channels].
    Source: as TensorFlow's operation of this name.
    """

    op: ClassVar[str] = "space_to_depth"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, *(space / factor), factor^dims · channels]"

    factor: Positive = Field(2, description="side of a block; divides each space dimension")


class DepthToSpace(LayerSpec):
    """Spreads groups of channels over a finer grid, the channel running fastest.

    The inverse of `space_to_depth`.

    y[b, f·p + r, c] = x[b, p, (r1·f + r2)·channels + c], for two space dimensions with r = (r1, r2)

    Shapes: [batch, *space, factor^dims · channels] -> [batch, *(space · factor), channels].
    """

    op: ClassVar[str] = "depth_to_space"
    shape: ClassVar[str] = "[batch, *space, factor^dims · channels] -> [batch, *(space · factor), channels]"

    factor: Positive = Field(2, description="factor of enlargement of each space dimension")


class Patchify(LayerSpec):
    """Cuts space into patches that do not overlap and lays each out as one vector.

    y[b, p, (k, c)] = x[b, patch·p + k, c], patches p and places k in row-major order

    Shapes: [batch, *space, channels] -> [batch, patches, patch^dims · channels], or [batch, *(space / patch), ...]
    without `flatten`.
    Source: Dosovitskiy et al., arXiv:2010.11929, section 3.1.
    """

    op: ClassVar[str] = "patchify"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, patches, patch^dims · channels]"

    patch: Size = Field(description="side of a patch, one for all space dimensions or a list; divides the space")
    flatten: bool = Field(True, description="lay the patches out as one sequence")


class Unpatchify(LayerSpec):
    """Puts a sequence of patches together again: the inverse of `patchify`.

    y[b, patch·p + k, c] = x[b, p, (k, c)], patches p and places k in row-major order

    Shapes: [batch, patches, patch^dims · channels] -> [batch, *space, channels].
    """

    op: ClassVar[str] = "unpatchify"
    shape: ClassVar[str] = "[batch, patches, patch^dims · channels] -> [batch, *space, channels]"

    patch: Size = Field(description="side of a patch, one for all space dimensions or a list; divides the space")
    space: Sizes = Field(max_length=3, description="sizes of the space dimensions of the output")


class Pad(LayerSpec):
    """Adds positions around the space dimensions.

    `constant` fills them with `value`, `edge` repeats the outermost element, `reflect` mirrors at its centre,
    `symmetric` at its border, and `wrap` goes on at the other side.

    Shapes: [batch, *space, channels] -> [batch, *(before + space + after), channels].
    """

    op: ClassVar[str] = "pad"
    shape: ClassVar[str] = _SPACE

    padding: Edges = Field(1, description="an integer for all sides, or a list of integers or pairs")
    mode: Literal["constant", "edge", "reflect", "symmetric", "wrap"] = Field("constant", description="what is added")
    value: Number = Field(0.0, description="the constant")


class Crop(LayerSpec):
    """Takes positions away at the sides of the space dimensions.

    With `size`, what stays is the centre: (space - size) // 2 positions go in front of it.

    Shapes: [batch, *space, channels] -> [batch, *(space - before - after), channels].
    """

    op: ClassVar[str] = "crop"
    shape: ClassVar[str] = _SPACE

    cropping: Edges | None = Field(None, description="an integer for all sides, or a list of integers or pairs")
    size: Size | None = Field(None, description="positions that stay, one for all space dimensions or a list")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.size is None) == (self.cropping is None):
            raise ValueError("either cropping or size is needed, and not both")
        return self
