"""Fully connected layers: the last axis is mapped, all others are kept."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.layers.fields import Positive
from framework.config.schema.layers.parametrised import KernelSpec


class Dense(KernelSpec):
    """Affine map of the last axis.

    y[..., j] = sum_i x[..., i] kernel[i, j] + bias[j]

    Shapes: [batch, ..., inputs] -> [batch, ..., features]; kernel [inputs, features], bias [features].
    """

    op: ClassVar[str] = "dense"
    shape: ClassVar[str] = "[batch, ..., inputs] -> [batch, ..., features]"

    features: Positive = Field(description="size of the last axis of the output")
