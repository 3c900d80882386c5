"""Normalisation by statistics of the batch (batch_norm) or of each example (layer_norm, group_norm, rms_norm)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from framework.config.schema.base import Number
from framework.config.schema.layers.base import SameShape
from framework.config.schema.layers.fields import Initializer, Positive
from framework.config.schema.layers.parametrised import ParametrisedSpec


class BatchNorm(ParametrisedSpec):
    """Normalises each channel over the batch and all space dimensions.

    y = scale · (x - mean) / sqrt(var + epsilon) + bias

    Training takes mean and (biased) variance from the real rows of the batch: rows that only pad it do not count. It
    also moves the kept statistics: kept <- momentum · kept + (1 - momentum) · batch. Otherwise the kept ones are used.

    Shapes: [batch, ..., channels] -> same; scale, bias and the kept statistics [channels].
    Source: Ioffe and Szegedy, arXiv:1502.03167, algorithm 1.
    """

    op: ClassVar[str] = "batch_norm"
    shape: ClassVar[str] = "[batch, ..., channels] -> same"
    stateful: ClassVar[bool] = True

    momentum: Number = Field(0.99, ge=0, le=1, description="share of the kept statistics that one step leaves in place")
    epsilon: Number = Field(1e-5, gt=0, description="added to the variance")
    use_scale: bool = Field(True, description="multiply by a trained scale for each channel")
    use_bias: bool = Field(True, description="add a trained bias for each channel")
    scale_init: Initializer = Field("ones", description="initialiser of the scale; zeros silences a residual branch")
    bias_init: Initializer = Field("zeros", description="initialiser of the bias")


class LayerNorm(ParametrisedSpec):
    """Normalises the features of each example and position.

    y = scale · (x - mean) / sqrt(var + epsilon) + bias, with mean and (biased) variance over the last axis

    Shapes: [batch, ..., features] -> same; scale and bias [features].
    Source: Ba et al., arXiv:1607.06450, equation 4.
    """

    op: ClassVar[str] = "layer_norm"
    shape: ClassVar[str] = "[batch, ..., features] -> same"

    epsilon: Number = Field(1e-6, gt=0, description="added to the variance")
    use_scale: bool = Field(True, description="multiply by a trained scale for each feature")
    use_bias: bool = Field(True, description="add a trained bias for each feature")
    scale_init: Initializer = Field("ones", description="initialiser of the scale")
    bias_init: Initializer = Field("zeros", description="initialiser of the bias")


class GroupNorm(ParametrisedSpec):
    """Normalises groups of neighbouring channels of each example over all space dimensions.

    y = scale · (x - mean) / sqrt(var + epsilon) + bias, with mean and (biased) variance over space and one group

    One group for each channel is instance normalisation.

    Shapes: [batch, ..., channels] -> same; scale and bias [channels].
    Source: Wu and He, arXiv:1803.08494, equation 7.
    """

    op: ClassVar[str] = "group_norm"
    shape: ClassVar[str] = "[batch, ..., channels] -> same"

    groups: Positive = Field(32, description="number of groups; divides the number of channels")
    epsilon: Number = Field(1e-6, gt=0, description="added to the variance")
    use_scale: bool = Field(True, description="multiply by a trained scale for each channel")
    use_bias: bool = Field(True, description="add a trained bias for each channel")
    scale_init: Initializer = Field("ones", description="initialiser of the scale")
    bias_init: Initializer = Field("zeros", description="initialiser of the bias")


class RMSNorm(ParametrisedSpec):
    """Divides by the root mean square of the features of each example and position.

    y = scale · x / sqrt(mean(x²) + epsilon), with the mean over the last axis

    Shapes: [batch, ..., features] -> same; scale [features].
    Source: Zhang and Sennrich, arXiv:1910.07467, equation 4.
    """

    op: ClassVar[str] = "rms_norm"
    shape: ClassVar[str] = "[batch, ..., features] -> same"

    epsilon: Number = Field(1e-6, gt=0, description="added to the mean square")
    use_scale: bool = Field(True, description="multiply by a trained scale for each feature")
    scale_init: Initializer = Field("ones", description="initialiser of the scale")


class InstanceNorm(ParametrisedSpec):
    """Normalises each channel of each example over all space dimensions.

    y = scale · (x - mean) / sqrt(var + epsilon) + bias, with mean and (biased) variance over space

    Shapes: [batch, *space, channels] -> same; scale and bias [channels].
    Source: Ulyanov et al., arXiv:1607.08022, equation 4.
    """

    op: ClassVar[str] = "instance_norm"
    shape: ClassVar[str] = "[batch, *space, channels] -> same"

    epsilon: Number = Field(1e-5, gt=0, description="added to the variance")
    use_scale: bool = Field(True, description="multiply by a trained scale for each channel")
    use_bias: bool = Field(True, description="add a trained bias for each channel")
    scale_init: Initializer = Field("ones", description="initialiser of the scale")
    bias_init: Initializer = Field("zeros", description="initialiser of the bias")


class LayerScale(ParametrisedSpec):
    """Multiplies each feature by a trained scale that starts small, at the end of a residual's branch.

    y[..., c] = scale[c] · x[..., c]

    Shapes: [batch, ..., features] -> same; scale [features].
    Source: Touvron et al., arXiv:2103.17239, section 2.
    """

    op: ClassVar[str] = "layer_scale"
    shape: ClassVar[str] = "[batch, ..., features] -> same"

    initial: Number = Field(1e-6, description="the scale at the start")


class Normalize(SameShape):
    """Divides by the length of the features of each example and position.

    y = x / max(sqrt(sum x²), epsilon), with the sum over an axis

    Shapes: [batch, ..., features] -> same.
    """

    op: ClassVar[str] = "normalize"
    shape: ClassVar[str] = "[batch, ..., features] -> same"

    axis: int = Field(-1, description="axis of the example, counted with the batch as 0; negative from the end")
    epsilon: Number = Field(1e-12, gt=0, description="smallest length that is divided by")

    @field_validator("axis")
    @classmethod
    def _not_the_batch(cls, value: int) -> int:
        if value == 0:
            raise ValueError("found 0, which is the batch; expected an axis of the example, e.g. -1")
        return value


class LocalResponseNorm(SameShape):
    """Divides by a power of the squares of neighbouring channels.

    y[..., c] = x[..., c] / (bias + alpha · sum_k x[..., k]²)^beta, k from c - radius to c + radius where it exists

    AlexNet of PyTorch divides alpha by the number of channels in the sum: its `alpha=1e-4, size=5` is alpha 2e-5 here.

    Shapes: [batch, ..., channels] -> same.
    Source: Krizhevsky et al. 2012, section 3.3.
    """

    op: ClassVar[str] = "local_response_norm"
    shape: ClassVar[str] = "[batch, ..., channels] -> same"

    radius: Positive = Field(2, description="channels on each side")
    alpha: Number = Field(1e-4, gt=0, description="factor of the sum")
    beta: Number = Field(0.75, gt=0, description="exponent")
    bias: Number = Field(2.0, gt=0, description="added to the sum")
