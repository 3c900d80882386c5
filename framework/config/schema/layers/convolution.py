"""Convolutions over one to three space dimensions, channels last. The rank of the input decides how many."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.layers.fields import Padding, Positive, Size, WindowPadding
from framework.config.schema.layers.parametrised import KernelSpec, NormedKernelSpec


class Conv(NormedKernelSpec):
    """Convolution over 1 to 3 space dimensions.

    y[b, p, j] = sum_{k, i} x[b, strides·p + dilation·k - before, i] kernel[k, i, j] + bias[j], with zeros outside of x

    `same` keeps ceil(space / strides) positions, `valid` only those where the kernel lies inside, and `causal` (one
    space dimension) pads the past alone. With g groups, output features of a group see the channels of that group.

    Shapes: [batch, *space, channels] -> [batch, *space', features]; kernel [*kernel, channels / groups, features].
    Source: a cross-correlation, as LeCun et al. 1998 and all frameworks since; groups as Krizhevsky et al. 2012.
    """

    op: ClassVar[str] = "conv"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, *space', features]"

    features: Positive = Field(description="number of output channels")
    kernel: Size = Field(description="kernel size, one for all space dimensions or a list")
    strides: Size = Field(1, description="step between output positions")
    dilation: Size = Field(1, description="step between kernel taps")
    groups: Positive = Field(1, description="groups that do not see each other; divides channels and features")
    padding: Padding = Field("same", description="same, valid, causal, an integer, or a list of integers or pairs")


class DepthwiseConv(NormedKernelSpec):
    """Convolution of each channel on its own.

    y[b, p, c·multiplier + m] = sum_k x[b, strides·p + dilation·k - before, c] kernel[k, 0, c·multiplier + m] + bias

    Shapes: [batch, *space, channels] -> [batch, *space', channels · multiplier];
    kernel [*kernel, 1, channels · multiplier].
    Source: Howard et al., arXiv:1704.04861, section 3.1.
    """

    op: ClassVar[str] = "depthwise_conv"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, *space', channels · multiplier]"

    kernel: Size = Field(description="kernel size, one for all space dimensions or a list")
    multiplier: Positive = Field(1, description="output channels for each input channel")
    strides: Size = Field(1, description="step between output positions")
    dilation: Size = Field(1, description="step between kernel taps")
    padding: Padding = Field("same", description="same, valid, causal, an integer, or a list of integers or pairs")


class TransposedConv(NormedKernelSpec):
    """Convolution with a fractional step, which enlarges the space dimensions.

    Zeros are put between the inputs (strides - 1 of them), then an ordinary convolution follows. `same` gives
    space · strides positions, `valid` space · strides + max(reach - strides, 0) with reach = dilation·(kernel - 1) + 1,
    and numbers (space - 1) · strides + reach less those, as PyTorch's padding; a pair [p, p - q] is its padding p and
    output_padding q.

    Shapes: [batch, *space, channels] -> [batch, *space', features]; kernel [*kernel, channels, features].
    Source: Zeiler et al. 2010; Dumoulin and Visin, arXiv:1603.07285, section 4.
    """

    op: ClassVar[str] = "transposed_conv"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, *space · strides, features]"

    features: Positive = Field(description="number of output channels")
    kernel: Size = Field(description="kernel size, one for all space dimensions or a list")
    strides: Size = Field(1, description="factor of enlargement")
    dilation: Size = Field(1, description="step between kernel taps")
    padding: WindowPadding = Field(
        "same",
        description="same, valid, or positions taken off the sides of what the kernel reaches: integers or pairs",
    )


class SeparableConv(KernelSpec):
    """Convolution of each channel on its own, then a mixture of the channels at each position.

    y[b, p, j] = sum_{c, m} depthwise(x)[b, p, c·multiplier + m] pointwise_kernel[c·multiplier + m, j] + bias[j]

    Shapes: [batch, *space, channels] -> [batch, *space', features]; depthwise_kernel
    [*kernel, 1, channels · multiplier], pointwise_kernel [channels · multiplier, features].
    Source: Chollet, arXiv:1610.02357, section 1.2.
    """

    op: ClassVar[str] = "separable_conv"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, *space', features]"

    features: Positive = Field(description="number of output channels")
    kernel: Size = Field(description="kernel size, one for all space dimensions or a list")
    multiplier: Positive = Field(1, description="channels in between for each input channel")
    strides: Size = Field(1, description="step between output positions")
    dilation: Size = Field(1, description="step between kernel taps")
    padding: Padding = Field("same", description="same, valid, causal, an integer, or a list of integers or pairs")


class LocallyConnected(KernelSpec):
    """A convolution with a kernel of its own at each position.

    y[b, p, j] = sum_{k, i} x[b, strides·p + k - before, i] kernel[p, (i, k), j] + bias[p, j]

    Shapes: [batch, *space, channels] -> [batch, *space', features]; kernel
    [*space', channels · prod kernel, features], bias [*space', features].
    Source: LeCun 1989, "Generalization and network design strategies", section 4.
    """

    op: ClassVar[str] = "locally_connected"
    shape: ClassVar[str] = "[batch, *space, channels] -> [batch, *space', features]"

    features: Positive = Field(description="number of output channels")
    kernel: Size = Field(description="kernel size, one for all space dimensions or a list")
    strides: Size = Field(1, description="step between output positions")
    padding: Padding = Field("valid", description="same, valid, causal, an integer, or a list of integers or pairs")
