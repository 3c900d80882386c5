"""Recurrent layers over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from framework.config.schema.base import Number
from framework.config.schema.layers.fields import Initializer, Positive, Size
from framework.config.schema.layers.parametrised import KernelSpec


class _RecurrentSpec(KernelSpec):
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?", "hidden?")
    shape: ClassVar[str] = "[batch, time, inputs] -> [batch, time, features], or [batch, features]"
    states: ClassVar[tuple[str, ...]] = ("hidden",)

    features: Positive = Field(description="size of the state and of the output")
    return_sequences: bool = Field(True, description="give the output of every step; false: of the last one only")
    return_state: bool = Field(False, description="give the last state too: node.output, node.hidden (and node.cell)")
    reverse: bool = Field(False, description="read from the end to the beginning; outputs keep their place in time")
    recurrent_init: Initializer = Field("orthogonal", description="initialiser of each gate's recurrent kernel")

    @classmethod
    def output_names(cls, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """The output and the states, where they are asked for."""
        return ("output", *cls.states) if arguments.get("return_state") is True else ()


class _GatedSpec(_RecurrentSpec):
    recurrent_bias: bool = Field(False, description="a second bias, beside the recurrent product, as PyTorch has it")


class RNN(_GatedSpec):
    """Plain recurrence.

    h <- activation(x_t W + h U + b)

    Starts from zeros, or from `hidden` [batch, features]. Where the optional boolean `mask` [batch, time] is false,
    state and output stay as they were.

    Shapes: [batch, time, inputs] -> [batch, time, features], or [batch, features] without `return_sequences`;
    W [inputs, features], U [features, features], b [features].
    Source: Elman, Cognitive Science 14 (1990).
    """

    op: ClassVar[str] = "rnn"

    activation: Literal["tanh", "relu"] = Field("tanh", description="what keeps the state within bounds")


class LSTM(_GatedSpec):
    """Long short-term memory.

    i, f, g, o = split(x_t W + h U + b); c <- sigmoid(f) · c + sigmoid(i) · tanh(g); h <- sigmoid(o) · tanh(c)

    Starts from zeros, or from `hidden` and `cell`, [batch, features] each. Where the optional boolean `mask`
    [batch, time] is false, state and output stay as they were.

    Shapes: [batch, time, inputs] -> [batch, time, features], or [batch, features] without `return_sequences`;
    W [inputs, 4 features], U [features, 4 features], b [4 features].
    Source: Hochreiter and Schmidhuber 1997; forget gate, Gers et al. 2000.
    """

    op: ClassVar[str] = "lstm"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?", "hidden?", "cell?")
    states: ClassVar[tuple[str, ...]] = ("hidden", "cell")

    forget_bias: Number = Field(
        1.0, description="added to the initial bias of the forget gate (Jozefowicz et al. 2015)"
    )


class GRU(_RecurrentSpec):
    """Gated recurrent unit, with the reset gate after the recurrent product.

    r = sigmoid(x_t W_r + b_r + h U_r); z = sigmoid(x_t W_z + b_z + h U_z)
    n = tanh(x_t W_n + b_n + r · (h U_n + a_n)); h <- (1 - z) · n + z · h

    Starts from zeros, or from `hidden` [batch, features]. Where the optional boolean `mask` [batch, time] is false,
    state and output stay as they were.

    Shapes: [batch, time, inputs] -> [batch, time, features], or [batch, features] without `return_sequences`;
    W [inputs, 3 features], U [features, 3 features], b [3 features], a [features]; with `recurrent_bias` [3 features].
    Source: Cho et al., arXiv:1406.1078v1; as cuDNN computes it.
    """

    op: ClassVar[str] = "gru"

    recurrent_bias: bool = Field(
        False, description="a second bias for all gates, as PyTorch and Keras have it; false: for the candidate alone"
    )


class ConvLSTM(_RecurrentSpec):
    """Long short-term memory whose products are convolutions, of pictures over time.

    As `lstm`, with W * x_t and U * h for the products: convolutions that keep the size of space. There are no
    connections from the cell to the gates (peepholes).

    Starts from zeros, or from `hidden` and `cell`, [batch, *space, features] each. Where the optional boolean `mask`
    [batch, time] is false, state and output stay as they were.

    Shapes: [batch, time, *space, channels], 1 to 3 space dimensions -> [batch, time, *space, features], or
    [batch, *space, features] without `return_sequences`; W [*kernel, channels, 4 features],
    U [*kernel, features, 4 features], b [4 features].
    Source: Shi et al., arXiv:1506.04214, equation 3.
    """

    op: ClassVar[str] = "conv_lstm"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?", "hidden?", "cell?")
    shape: ClassVar[str] = (
        "[batch, time, *space, channels] -> [batch, time, *space, features], or [batch, *space, features]"
    )
    states: ClassVar[tuple[str, ...]] = ("hidden", "cell")

    kernel: Size = Field(3, description="size of the window, of both convolutions")
    forget_bias: Number = Field(
        1.0, description="added to the initial bias of the forget gate (Jozefowicz et al. 2015)"
    )
