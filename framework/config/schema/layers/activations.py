"""Activation functions; those of `jax.nn` have its names. All keep the shape but `glu`, `crelu` and `maxout`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from framework.config.schema.base import Number
from framework.config.schema.layers.base import SameShape
from framework.config.schema.layers.fields import Positive
from framework.config.schema.layers.parametrised import ParametrisedSpec


class Relu(SameShape):
    """Rectified linear unit: max(x, 0)."""

    op: ClassVar[str] = "relu"


class Relu6(SameShape):
    """Rectified linear unit, capped at 6: min(max(x, 0), 6)."""

    op: ClassVar[str] = "relu6"


class LeakyRelu(SameShape):
    """Rectified linear unit that lets a share of negative values through.

    y = x for x >= 0, negative_slope · x otherwise
    """

    op: ClassVar[str] = "leaky_relu"

    negative_slope: Number = Field(0.01, description="slope for negative values")


class Elu(SameShape):
    """Exponential linear unit.

    y = x for x > 0, alpha · (exp(x) - 1) otherwise

    Source: Clevert et al., arXiv:1511.07289.
    """

    op: ClassVar[str] = "elu"

    alpha: Number = Field(1.0, gt=0, description="minus the limit for very negative values")


class Celu(SameShape):
    """Exponential linear unit whose slope is continuous for every alpha.

    y = max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0)

    Source: Barron, arXiv:1704.07483.
    """

    op: ClassVar[str] = "celu"

    alpha: Number = Field(1.0, gt=0, description="minus the limit for very negative values")


class Selu(SameShape):
    """Exponential linear unit, scaled so that mean 0 and variance 1 are kept through the layers.

    Source: Klambauer et al., arXiv:1706.02515.
    """

    op: ClassVar[str] = "selu"


class Gelu(SameShape):
    """Gaussian error linear unit: x · Phi(x), with the normal distribution function Phi.

    Approximated as x/2 · (1 + tanh(sqrt(2/pi) · (x + 0.044715 x³))) unless told otherwise.

    Source: Hendrycks and Gimpel, arXiv:1606.08415.
    """

    op: ClassVar[str] = "gelu"

    approximate: bool = Field(True, description="use the tanh formula instead of the error function")


class Silu(SameShape):
    """Sigmoid linear unit: x · sigmoid(x).

    Source: Elfwing et al., arXiv:1702.03118.
    """

    op: ClassVar[str] = "silu"


class Swish(SameShape):
    """The sigmoid linear unit `silu` under its other name: x · sigmoid(x).

    Source: Ramachandran et al., arXiv:1710.05941.
    """

    op: ClassVar[str] = "swish"


class Mish(SameShape):
    """Self-gated unit: x · tanh(softplus(x)).

    Source: Misra, arXiv:1908.08681.
    """

    op: ClassVar[str] = "mish"


class Sigmoid(SameShape):
    """Logistic function: 1 / (1 + exp(-x))."""

    op: ClassVar[str] = "sigmoid"


class LogSigmoid(SameShape):
    """Logarithm of the logistic function: -log(1 + exp(-x))."""

    op: ClassVar[str] = "log_sigmoid"


class Tanh(SameShape):
    """Hyperbolic tangent."""

    op: ClassVar[str] = "tanh"


class Softplus(SameShape):
    """Smooth rectifier: log(1 + exp(x))."""

    op: ClassVar[str] = "softplus"


class SoftSign(SameShape):
    """Sigmoid with polynomial tails: x / (1 + |x|)."""

    op: ClassVar[str] = "soft_sign"


class Squareplus(SameShape):
    """Smooth rectifier without exponentials: (x + sqrt(x² + b)) / 2.

    Source: Barron, arXiv:2112.11687.
    """

    op: ClassVar[str] = "squareplus"

    b: Number = Field(4.0, ge=0, description="smoothness; 0 gives relu")


class HardTanh(SameShape):
    """Piecewise linear hyperbolic tangent: x, limited to [-1, 1]."""

    op: ClassVar[str] = "hard_tanh"


class HardSigmoid(SameShape):
    """Piecewise linear sigmoid: relu6(x + 3) / 6."""

    op: ClassVar[str] = "hard_sigmoid"


class HardSilu(SameShape):
    """Piecewise polynomial `silu`: x · relu6(x + 3) / 6.

    Source: Howard et al., arXiv:1905.02244, section 5.2.
    """

    op: ClassVar[str] = "hard_silu"


class HardSwish(SameShape):
    """The unit `hard_silu` under its other name: x · relu6(x + 3) / 6.

    Source: Howard et al., arXiv:1905.02244, section 5.2.
    """

    op: ClassVar[str] = "hard_swish"


class SparsePlus(SameShape):
    """Smooth rectifier that reaches zero: 0 below -1, (x + 1)² / 4 up to 1, x above."""

    op: ClassVar[str] = "sparse_plus"


class SparseSigmoid(SameShape):
    """Piecewise linear sigmoid, the slope of `sparse_plus`: 0 below -1, (x + 1) / 2 up to 1, 1 above."""

    op: ClassVar[str] = "sparse_sigmoid"


class _AlongAxis(SameShape):
    """An activation that compares the elements of one axis."""

    axis: int = Field(-1, description="axis of the example, counted with the batch as 0; negative from the end")

    @field_validator("axis")
    @classmethod
    def _not_the_batch(cls, value: int) -> int:
        if value == 0:
            raise ValueError("found 0, which is the batch; expected an axis of the example, e.g. -1")
        return value


class Softmax(_AlongAxis):
    """Positive values that sum to one along an axis: exp(x_i) / sum_j exp(x_j).

    With a temperature, x is divided by it first: below 1 the largest value gains, above 1 all become more alike.
    """

    op: ClassVar[str] = "softmax"

    temperature: Number = Field(1.0, gt=0, description="what x is divided by first")


class LogSoftmax(_AlongAxis):
    """Logarithm of the softmax: x_i - log sum_j exp(x_j)."""

    op: ClassVar[str] = "log_softmax"


class Glu(_AlongAxis):
    """Gated linear unit: the first half of an axis times the sigmoid of the second half.

    Shapes: [batch, ..., 2·features] -> [batch, ..., features].
    Source: Dauphin et al., arXiv:1612.08083.
    """

    op: ClassVar[str] = "glu"
    shape: ClassVar[str] = "[batch, ..., 2 · features] -> [batch, ..., features]"


class PRelu(ParametrisedSpec):
    """Rectified linear unit with a trained slope for negative values.

    y = max(x, 0) + slope · min(x, 0)

    Shapes: [batch, ..., channels] -> same; slope [channels], or [1] where it is shared.
    Source: He et al., arXiv:1502.01852, equation 1.
    """

    op: ClassVar[str] = "prelu"
    shape: ClassVar[str] = "[batch, ..., channels] -> same"

    shared: bool = Field(False, description="one slope for all channels")
    initial: Number = Field(0.25, description="the slopes at the start")


class RRelu(SameShape):
    """Rectified linear unit whose slope for negative values is drawn at random while training.

    y = x for x >= 0, a · x otherwise, with a ~ Uniform(lower, upper) for each value; else a = (lower + upper) / 2

    Source: Xu et al., arXiv:1505.00853, section 2.4.
    """

    op: ClassVar[str] = "rrelu"
    stochastic: ClassVar[bool] = True

    lower: Number = Field(0.125, description="smallest slope")
    upper: Number = Field(1 / 3, description="largest slope")


class ReluSquared(SameShape):
    """Square of the rectified linear unit: max(x, 0)².

    Source: So et al., arXiv:2109.08668, section 3.
    """

    op: ClassVar[str] = "relu_squared"


class ThresholdedRelu(SameShape):
    """Passes values above a threshold and sets others to zero.

    y = x for x > threshold, 0 otherwise

    Source: Konda et al., arXiv:1402.3337.
    """

    op: ClassVar[str] = "thresholded_relu"

    threshold: Number = Field(1.0, description="largest value that is set to zero")


class HardShrink(SameShape):
    """Sets small values to zero: x for |x| > threshold, 0 otherwise."""

    op: ClassVar[str] = "hard_shrink"

    threshold: Number = Field(0.5, ge=0, description="largest magnitude that is set to zero")


class SoftShrink(SameShape):
    """Moves values towards zero by a threshold: sign(x) · max(|x| - threshold, 0)."""

    op: ClassVar[str] = "soft_shrink"

    threshold: Number = Field(0.5, ge=0, description="how far values move")


class TanhShrink(SameShape):
    """What the hyperbolic tangent takes away: x - tanh(x)."""

    op: ClassVar[str] = "tanh_shrink"


class QuickGelu(SameShape):
    """Approximation of the Gaussian error linear unit by a sigmoid: x · sigmoid(1.702 x).

    Source: Hendrycks and Gimpel, arXiv:1606.08415, section 2.
    """

    op: ClassVar[str] = "quick_gelu"


class Exponential(SameShape):
    """Exponential function: exp(x)."""

    op: ClassVar[str] = "exponential"


class Sine(SameShape):
    """Periodic unit: sin(frequency · x).

    Source: Sitzmann et al., arXiv:2006.09661, section 3.2.
    """

    op: ClassVar[str] = "sine"

    frequency: Number = Field(1.0, gt=0, description="angular frequency; the first layer of a SIREN has 30")


class CRelu(_AlongAxis):
    """Rectified positive and negative parts side by side: max(x, 0) and max(-x, 0).

    Shapes: [batch, ..., features] -> [batch, ..., 2·features].
    Source: Shang et al., arXiv:1603.05201, definition 2.1.
    """

    op: ClassVar[str] = "crelu"
    shape: ClassVar[str] = "[batch, ..., features] -> [batch, ..., 2 · features]"


class Maxout(_AlongAxis):
    """Largest of each group of neighbouring values along an axis.

    Shapes: [batch, ..., pieces·features] -> [batch, ..., features].
    Source: Goodfellow et al., arXiv:1302.4389, section 3.
    """

    op: ClassVar[str] = "maxout"
    shape: ClassVar[str] = "[batch, ..., pieces · features] -> [batch, ..., features]"

    pieces: Positive = Field(2, description="values in a group; divides the axis")
