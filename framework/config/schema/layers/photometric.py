"""Random changes of light and colour while training, channels last."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from pydantic.config import JsonDict

from framework.config.schema.base import Traced
from framework.config.schema.layers.base import LayerSpec

_PICTURES = "[batch, height, width, channels] -> same"
_OFF: JsonDict = {"zero_is_off": True}


class RandomBrightness(LayerSpec):
    """Adds a random number to all pixels of a picture while training.

    y = x + a, a ~ U(-delta, delta) for each example; outside of training y = x

    `delta` has the unit of the input: standard deviations under `data.normalize: standard`, the range of the pixels
    under `minmax` and `none`. Nothing is cut off at black or white.

    Shapes: [batch, height, width, channels] -> same.
    """

    op: ClassVar[str] = "random_brightness"
    shape: ClassVar[str] = _PICTURES
    stochastic: ClassVar[bool] = True

    delta: Traced = Field(ge=0, json_schema_extra=_OFF, description="the largest number, either way")


class RandomContrast(LayerSpec):
    """Moves the pixels of a picture away from their mean, or towards it, at random while training.

    y = m + f · (x - m), f ~ U(1 - factor, 1 + factor) and m[channel] the mean over pixels, for each example; outside of
    training y = x

    Shapes: [batch, height, width, channels] -> same.
    """

    op: ClassVar[str] = "random_contrast"
    shape: ClassVar[str] = _PICTURES
    stochastic: ClassVar[bool] = True

    factor: Traced = Field(ge=0, le=1, json_schema_extra=_OFF, description="0.2: factors of 0.8 to 1.2")


class RandomSaturation(LayerSpec):
    """Makes the colours of a picture stronger or weaker at random while training.

    y = g + f · (x - g), f ~ U(1 - factor, 1 + factor) for each example, g = 0.299 red + 0.587 green + 0.114 blue for
    each pixel; outside of training y = x

    Shapes: [batch, height, width, 3] -> same.
    Source: ITU-R BT.601 (the weights of grey).
    """

    op: ClassVar[str] = "random_saturation"
    shape: ClassVar[str] = "[batch, height, width, 3] -> same"
    stochastic: ClassVar[bool] = True

    factor: Traced = Field(ge=0, le=1, json_schema_extra=_OFF, description="0.2: factors of 0.8 to 1.2")
