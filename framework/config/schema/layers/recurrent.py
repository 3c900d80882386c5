"""Recurrent layers over time."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Number
from framework.config.schema.layers.fields import Initializer, Positive
from framework.config.schema.layers.parametrised import KernelSpec


class _RecurrentSpec(KernelSpec):
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?")
    shape: ClassVar[str] = "[batch, time, inputs] -> [batch, time, features], or [batch, features]"

    features: Positive = Field(description="size of the state and of the output")
    return_sequences: bool = Field(True, description="give the output of every step; false: of the last one only")
    reverse: bool = Field(False, description="read from the end to the beginning; outputs keep their place in time")
    recurrent_init: Initializer = Field("orthogonal", description="initialiser of each gate's recurrent kernel")


class LSTM(_RecurrentSpec):
    """Long short-term memory.

    i, f, g, o = split(x_t W + h U + b); c <- sigmoid(f) · c + sigmoid(i) · tanh(g); h <- sigmoid(o) · tanh(c)

    Starts from zeros. Where the optional boolean `mask` [batch, time] is false, state and output stay as they were.

    Shapes: [batch, time, inputs] -> [batch, time, features], or [batch, features] without `return_sequences`;
    W [inputs, 4 features], U [features, 4 features], b [4 features].
    Source: Hochreiter and Schmidhuber 1997; forget gate, Gers et al. 2000.
    """

    op: ClassVar[str] = "lstm"

    forget_bias: Number = Field(
        1.0, description="added to the initial bias of the forget gate (Jozefowicz et al. 2015)"
    )


class GRU(_RecurrentSpec):
    """Gated recurrent unit, with the reset gate after the recurrent product.

    r = sigmoid(x_t W_r + b_r + h U_r); z = sigmoid(x_t W_z + b_z + h U_z)
    n = tanh(x_t W_n + b_n + r · (h U_n + a_n)); h <- (1 - z) · n + z · h

    Starts from zeros. Where the optional boolean `mask` [batch, time] is false, state and output stay as they were.

    Shapes: [batch, time, inputs] -> [batch, time, features], or [batch, features] without `return_sequences`;
    W [inputs, 3 features], U [features, 3 features], b [3 features], a [features].
    Source: Cho et al., arXiv:1406.1078v1; as cuDNN computes it.
    """

    op: ClassVar[str] = "gru"
