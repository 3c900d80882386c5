"""Gates that weigh the channels of an example by what is in it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Number
from framework.config.schema.layers.fields import Activation, Positive
from framework.config.schema.layers.parametrised import KernelSpec


class SqueezeExcite(KernelSpec):
    """Multiplies each channel by a gate that a small perceptron computes from the means of all channels.

    y = x · gate(activation(mean_space(x) reduce + a) expand + b)

    Shapes: [batch, *space, channels] -> same; reduce kernel [channels, hidden], expand kernel [hidden, channels].
    Source: Hu et al., arXiv:1709.01507, equations 2 to 4.
    """

    op: ClassVar[str] = "squeeze_excite"
    shape: ClassVar[str] = "[batch, *space, channels] -> same"

    ratio: Number = Field(0.25, gt=0, description="hidden size / channels, rounded down, at least 1")
    hidden: Positive | None = Field(None, description="hidden size; null: by ratio")
    activation: Activation = Field("relu", description="activation of the hidden layer")
    gate: Activation = Field("sigmoid", description="activation of the gate, e.g. sigmoid or hard_sigmoid")
