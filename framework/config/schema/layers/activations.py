"""Activation functions of `jax.nn`, each under its name there. All keep the shape but `glu`, which halves one axis."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from framework.config.schema.base import Number
from framework.config.schema.layers.base import SameShape


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
    """Positive values that sum to one along an axis: exp(x_i) / sum_j exp(x_j)."""

    op: ClassVar[str] = "softmax"


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
