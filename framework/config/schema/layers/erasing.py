"""Boxes of pictures that are blanked at random while training, channels last."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from framework.config.schema.base import Number, Traced
from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.intervals import Ratios, Shares


class RandomErasing(LayerSpec):
    """Blanks a box of random size, form and place in some pictures while training.

    area = s · height · width, s ~ U(scale); height / width of the box = exp(U(log ratio)); the place is uniform. Of ten
    boxes, the first that fits is taken, and if none does, none. Outside of training y = x.

    Shapes: [batch, height, width, channels] -> same.
    Source: Zhong et al., arXiv:1708.04896, algorithm 1, with the logarithm of the ratio uniform, so that no form is
      preferred to the one on its side.
    """

    op: ClassVar[str] = "random_erasing"
    shape: ClassVar[str] = "[batch, height, width, channels] -> same"
    stochastic: ClassVar[bool] = True

    probability: Traced = Field(
        0.5, ge=0, le=1, json_schema_extra={"zero_is_off": True}, description="that a picture has a box"
    )
    scale: Shares = Field((0.02, 0.33), description="smallest and largest share of the picture's area")
    ratio: Ratios = Field((0.3, 3.3), description="smallest and largest ratio of height to width")
    fill: Literal["constant", "noise"] = Field(
        "constant", description="constant: `value`; noise: numbers of the normal law with mean 0 and deviation 1"
    )
    value: Number = Field(0.0, description="the constant")
