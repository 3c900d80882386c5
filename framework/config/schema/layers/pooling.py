"""Pooling over space or time, channels last."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.fields import Size, WindowPadding

_GLOBAL = "[batch, *space, channels] -> [batch, channels]"
_WINDOW = "[batch, *space, channels] -> [batch, *space', channels]"
_SIZED = "[batch, *space, channels] -> [batch, *size, channels]"


class MaxPool(LayerSpec):
    """Largest value in each window.

    y[b, p, c] = max_k x[b, strides·p + k - before, c]; padding is never the largest.

    Where several elements of a window tie, windows that do not overlap share the gradient equally among them and
    overlapping ones give it to the first.

    Shapes: [batch, *space, channels] -> [batch, *space', channels], with 1 to 3 space dimensions.
    """

    op: ClassVar[str] = "max_pool"
    shape: ClassVar[str] = _WINDOW

    window: Size = Field(2, description="window size, one for all space dimensions or a list")
    strides: Size | None = Field(None, description="step between windows; null: the window size, so that none overlap")
    padding: WindowPadding = Field("valid", description="same, valid, an integer, or a list of integers or pairs")


class AvgPool(LayerSpec):
    """Mean of the elements in each window; padding does not count.

    y[b, p, c] = mean over the k inside of x of x[b, strides·p + k - before, c], or over all k with `count_padding`

    Shapes: [batch, *space, channels] -> [batch, *space', channels], with 1 to 3 space dimensions.
    """

    op: ClassVar[str] = "avg_pool"
    shape: ClassVar[str] = _WINDOW

    window: Size = Field(2, description="window size, one for all space dimensions or a list")
    strides: Size | None = Field(None, description="step between windows; null: the window size, so that none overlap")
    padding: WindowPadding = Field("valid", description="same, valid, an integer, or a list of integers or pairs")
    count_padding: bool = Field(False, description="let padding count, as zeros")


class GlobalAvgPool(LayerSpec):
    """Mean over all space or time dimensions.

    Shapes: [batch, *space, channels] -> [batch, channels], or [batch, 1, ..., 1, channels] with `keep_dims`.
    Source: Lin et al., arXiv:1312.4400, section 3.2.
    """

    op: ClassVar[str] = "global_avg_pool"
    shape: ClassVar[str] = _GLOBAL

    keep_dims: bool = Field(False, description="leave each pooled dimension with size 1 instead of removing it")


class GlobalMaxPool(LayerSpec):
    """Largest value over all space or time dimensions.

    Shapes: [batch, *space, channels] -> [batch, channels], or [batch, 1, ..., 1, channels] with `keep_dims`.
    """

    op: ClassVar[str] = "global_max_pool"
    shape: ClassVar[str] = _GLOBAL

    keep_dims: bool = Field(False, description="leave each pooled dimension with size 1 instead of removing it")


class AdaptiveAvgPool(LayerSpec):
    """Mean over windows that divide space into a given number of parts.

    The parts are as even as whole positions allow.

    Window p of n reaches from floor(p · space / n) up to, without it, ceil((p + 1) · space / n); neighbours overlap by
    one position where n does not divide the space.

    Shapes: [batch, *space, channels] -> [batch, *size, channels], with 1 to 3 space dimensions.
    Source: He et al., arXiv:1406.4729, section 3.1; windows as PyTorch has them.
    """

    op: ClassVar[str] = "adaptive_avg_pool"
    shape: ClassVar[str] = _SIZED

    size: Size = Field(description="positions of the output, one for all space dimensions or a list")


class AdaptiveMaxPool(LayerSpec):
    """Largest value in windows that divide space into a given number of parts.

    The windows are those of `adaptive_avg_pool`.

    Shapes: [batch, *space, channels] -> [batch, *size, channels], with 1 to 3 space dimensions.
    """

    op: ClassVar[str] = "adaptive_max_pool"
    shape: ClassVar[str] = _SIZED

    size: Size = Field(description="positions of the output, one for all space dimensions or a list")
