"""Random rotations, zooms and shifts of pictures while training, channels last."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from pydantic.config import JsonDict

from framework.config.schema.base import Number, Traced
from framework.config.schema.layers.base import LayerSpec

_PICTURES = "[batch, height, width, channels] -> same"
_OFF: JsonDict = {"zero_is_off": True}
_MODE = "what lies outside: constant (`value`), edge (the nearest pixel) or reflect (the picture, mirrored)"
Outside = Literal["constant", "edge", "reflect"]


class RandomAffine(LayerSpec):
    """Turns, enlarges, moves and shears pictures at random while training, and computes their pixels once.

    y[p] = x[c + A^-1 (p - c - t)], c the centre, A = zoom · rotation · shear, with a draw of its own for each example
    and part: angle ~ U(-degrees, degrees), zoom factor ~ U(1 - zoom, 1 + zoom), slope = tan of U(-shear, shear)
    degrees, t ~ U(-translation, translation) · (height, width). Pixels are weighed bilinearly; outside of training
    y = x.

    Several of `random_rotation`, `random_zoom` and `random_translation` behind each other would blur a picture more.

    Shapes: [batch, height, width, channels] -> same.
    """

    op: ClassVar[str] = "random_affine"
    shape: ClassVar[str] = _PICTURES
    stochastic: ClassVar[bool] = True

    degrees: Traced = Field(0.0, ge=0, le=180, json_schema_extra=_OFF, description="largest angle, either way")
    translation: Traced = Field(
        0.0, ge=0, le=1, json_schema_extra=_OFF, description="largest shift either way, as a share of height and width"
    )
    zoom: Traced = Field(0.0, ge=0, lt=1, json_schema_extra=_OFF, description="0.2: factors of 0.8 to 1.2")
    shear: Traced = Field(0.0, ge=0, le=60, json_schema_extra=_OFF, description="largest angle of shear, in degrees")
    mode: Outside = Field("constant", description=_MODE)
    value: Number = Field(0.0, description="the constant")


class RandomRotation(LayerSpec):
    """Turns pictures about their centre by random angles while training.

    y[p] = x[c + R^-1 (p - c)], c the centre, R a rotation by an angle ~ U(-degrees, degrees), counter-clockwise, for
    each example. Pixels are weighed bilinearly; outside of training y = x.

    Shapes: [batch, height, width, channels] -> same.
    """

    op: ClassVar[str] = "random_rotation"
    shape: ClassVar[str] = _PICTURES
    stochastic: ClassVar[bool] = True

    degrees: Traced = Field(ge=0, le=180, json_schema_extra=_OFF, description="largest angle, either way")
    mode: Outside = Field("constant", description=_MODE)
    value: Number = Field(0.0, description="the constant")


class RandomZoom(LayerSpec):
    """Enlarges or shrinks pictures about their centre by random factors while training.

    y[p] = x[c + (p - c) / f], c the centre, f ~ U(1 - zoom, 1 + zoom) for each example. Pixels are weighed bilinearly;
    outside of training y = x.

    Shapes: [batch, height, width, channels] -> same.
    """

    op: ClassVar[str] = "random_zoom"
    shape: ClassVar[str] = _PICTURES
    stochastic: ClassVar[bool] = True

    zoom: Traced = Field(ge=0, lt=1, json_schema_extra=_OFF, description="0.2: factors of 0.8 to 1.2")
    mode: Outside = Field("constant", description=_MODE)
    value: Number = Field(0.0, description="the constant")


class RandomTranslation(LayerSpec):
    """Moves pictures by random shares of their size while training.

    y[p] = x[p - t], t ~ (U(-height, height) · rows, U(-width, width) · columns) for each example. Shifts lie between
    pixels, which are weighed bilinearly; `random_crop` with `padding` moves by whole ones. Outside of training y = x.

    Shapes: [batch, height, width, channels] -> same.
    """

    op: ClassVar[str] = "random_translation"
    shape: ClassVar[str] = _PICTURES
    stochastic: ClassVar[bool] = True

    height: Traced = Field(0.1, ge=0, le=1, json_schema_extra=_OFF, description="largest shift up or down, as a share")
    width: Traced = Field(0.1, ge=0, le=1, json_schema_extra=_OFF, description="largest shift to a side, as a share")
    mode: Outside = Field("constant", description=_MODE)
    value: Number = Field(0.0, description="the constant")
