"""Random mirror images and crops of pictures while training, channels last."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from framework.config.schema.base import Number, Traced
from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.fields import NonNegative, Size
from framework.config.schema.layers.intervals import Ratios, Shares

_PICTURES = "[batch, height, width, channels] -> same"
_CUT = "[batch, height, width, channels] -> [batch, *size, channels]"


class RandomFlip(LayerSpec):
    """Mirrors pictures at random while training, each by a draw of its own.

    y[b, i, j] = x[b, i, width - 1 - j] with the probability, for `horizontal`; outside of training y = x

    With `both`, each of the two axes has a draw of its own.

    Shapes: [batch, height, width, channels] -> same.
    """

    op: ClassVar[str] = "random_flip"
    shape: ClassVar[str] = _PICTURES
    stochastic: ClassVar[bool] = True

    axis: Literal["horizontal", "vertical", "both"] = Field(
        "horizontal", description="horizontal: left and right change places; vertical: top and bottom"
    )
    probability: Traced = Field(
        0.5, ge=0, le=1, json_schema_extra={"zero_is_off": True}, description="of a mirror image, for each axis"
    )


class RandomCrop(LayerSpec):
    """Cuts pictures out at random places while training, and out of the centre otherwise.

    Pixels are added at all sides (`padding`, as `mode` says); what is cut out of them has `size`, or the size that
    the picture had, and each place is as likely as any other. Outside of training nothing is added.

    Shapes: [batch, height, width, channels] -> [batch, *size, channels]; without `size`, -> same.
    Source: He et al., arXiv:1512.03385, section 4.2 (4 pixels of padding on pictures of 32 x 32).
    """

    op: ClassVar[str] = "random_crop"
    shape: ClassVar[str] = _CUT
    stochastic: ClassVar[bool] = True

    padding: NonNegative = Field(0, description="pixels that are added at each side before a place is drawn")
    size: Size | None = Field(None, description="height and width of the result, or one number; null: as they are")
    mode: Literal["constant", "edge", "reflect"] = Field("constant", description="what is added, as in `pad`")
    value: Number = Field(0.0, description="the constant")

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if not self.padding and self.size is None:
            raise ValueError("either padding or size is needed, so that there is more than one place to cut at")
        return self


class RandomResizedCrop(LayerSpec):
    """Cuts random boxes out of pictures while training, and resizes them all to one size.

    area = s · height · width, s ~ U(scale); height / width = exp(U(log ratio)); the place is uniform. Of ten boxes,
    the first that fits is taken, and if none does, the middle of the picture: the largest box with the result's form.
    That middle is also what is taken outside of training. Pixels are weighed linearly by their distance, over a wider
    range where they get fewer.

    Shapes: [batch, height, width, channels] -> [batch, *size, channels].
    Source: Szegedy et al., arXiv:1409.4842, section 6.
    """

    op: ClassVar[str] = "random_resized_crop"
    shape: ClassVar[str] = _CUT
    stochastic: ClassVar[bool] = True

    size: Size = Field(description="height and width of the result, or one number for both")
    scale: Shares = Field((0.08, 1.0), description="smallest and largest share of the picture's area")
    ratio: Ratios = Field((0.75, 4 / 3), description="smallest and largest ratio of height to width")
