"""Perceptrons whose hidden features are gated by a second product."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Number, Traced
from framework.config.schema.layers.fields import MlpActivation, Positive
from framework.config.schema.layers.parametrised import KernelSpec


class GatedMLP(KernelSpec):
    """Two-layer perceptron of the last axis, its hidden features multiplied by a second product.

    y = mlp_out(activation(a) · b), where mlp_in(x) gives a and b

    `activation: silu` is SwiGLU (the default), `gelu` GeGLU, `relu` ReGLU, `identity` the bilinear unit. Dropout acts
    on the hidden features.

    Shapes: [batch, ..., inputs] -> [batch, ..., features]; mlp_in kernel [inputs, 2, hidden], mlp_out kernel
    [hidden, features].
    Source: Shazeer, arXiv:2002.05202, equations 5 and 6.
    """

    op: ClassVar[str] = "gated_mlp"
    shape: ClassVar[str] = "[batch, ..., inputs] -> [batch, ..., features]"
    stochastic: ClassVar[bool] = True

    features: Positive | None = Field(None, description="size of the last axis of the output; null: that of the input")
    mlp_ratio: Number = Field(4.0, gt=0, description="hidden size / size of the last axis of the input")
    hidden: Positive | None = Field(None, description="hidden size; null: by mlp_ratio")
    activation: MlpActivation = Field("silu", description="activation of the gate")
    dropout: Traced = Field(
        0.0, ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that a value is dropped"
    )
