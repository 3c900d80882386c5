"""Random removal of values, and noise, while training."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Traced
from framework.config.schema.layers.base import SameShape
from framework.config.schema.layers.fields import Positive


class Dropout(SameShape):
    """Sets values to zero at random while training, and scales the rest so that the mean is kept.

    y = x · kept / (1 - rate), kept ~ Bernoulli(1 - rate); outside of training y = x

    Shapes: any -> same.
    Source: Srivastava et al., JMLR 15 (2014), with the scaling moved to training time.
    """

    op: ClassVar[str] = "dropout"
    stochastic: ClassVar[bool] = True

    rate: Traced = Field(
        ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that a value is set to zero"
    )


class SpatialDropout(SameShape):
    """Sets whole channels of an example to zero at random while training, and scales the rest.

    y[b, p, c] = x[b, p, c] · kept[b, c] / (1 - rate), kept ~ Bernoulli(1 - rate); outside of training y = x

    Shapes: [batch, *space, channels] -> same, with 1 to 3 space (or time) dimensions.
    Source: Tompson et al., arXiv:1411.4280, section 3.2.
    """

    op: ClassVar[str] = "spatial_dropout"
    shape: ClassVar[str] = "[batch, *space, channels] -> same"
    stochastic: ClassVar[bool] = True

    rate: Traced = Field(
        ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that a channel is set to zero"
    )


class StochasticDepth(SameShape):
    """Sets whole examples to zero at random while training, and scales the rest: a branch is passed by.

    y[b, ...] = x[b, ...] · kept[b] / (1 - rate), kept ~ Bernoulli(1 - rate); outside of training y = x

    It stands at the end of a residual's branch; rates usually grow with depth from 0 to the last block's.

    Shapes: [batch, ...] -> same.
    Source: Huang et al., arXiv:1603.09382, section 3, with the scaling moved to training time; known as DropPath too.
    """

    op: ClassVar[str] = "stochastic_depth"
    shape: ClassVar[str] = "[batch, ...] -> same"
    stochastic: ClassVar[bool] = True

    rate: Traced = Field(
        ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that an example is set to zero"
    )


class DropBlock(SameShape):
    """Sets squares of neighbouring positions to zero at random while training, and scales the rest.

    Centres fall with probability rate / block^dims · prod_d (space_d / (space_d - block + 1)) where a block fits whole;
    each blanks the block around it. What is left of an example is multiplied by positions / kept positions.

    Shapes: [batch, *space, channels] -> same, with 1 to 3 space dimensions, each at least `block`.
    Source: Ghiasi et al., arXiv:1810.12890, algorithm 1; each channel has blocks of its own.
    """

    op: ClassVar[str] = "drop_block"
    shape: ClassVar[str] = "[batch, *space, channels] -> same"
    stochastic: ClassVar[bool] = True

    rate: Traced = Field(
        ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="share of values that is set to zero"
    )
    block: Positive = Field(7, description="side of a block in positions")


class AlphaDropout(SameShape):
    """Dropout for `selu`: sets values to its lowest limit, so that mean 0 and variance 1 are kept.

    y = a · (x · kept + alpha' · (1 - kept)) + b with alpha' = -1.7581, a = (q + alpha'² q (1 - q))^(-1/2),
    b = -a (1 - q) alpha', q = 1 - rate, kept ~ Bernoulli(q); outside of training y = x

    Shapes: any -> same.
    Source: Klambauer et al., arXiv:1706.02515, section 3.
    """

    op: ClassVar[str] = "alpha_dropout"
    stochastic: ClassVar[bool] = True

    rate: Traced = Field(
        ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that a value is set to the limit"
    )


class GaussianDropout(SameShape):
    """Multiplies by noise of mean 1 while training.

    y = x · (1 + sqrt(rate / (1 - rate)) · n), n ~ Normal(0, 1); outside of training y = x

    Shapes: any -> same.
    Source: Srivastava et al., JMLR 15 (2014), section 10.
    """

    op: ClassVar[str] = "gaussian_dropout"
    stochastic: ClassVar[bool] = True

    rate: Traced = Field(
        ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="that of a dropout with the same variance"
    )


class GaussianNoise(SameShape):
    """Adds noise of mean 0 while training.

    y = x + stddev · n, n ~ Normal(0, 1); outside of training y = x

    Shapes: any -> same.
    Source: Bishop, Neural Computation 7 (1995).
    """

    op: ClassVar[str] = "gaussian_noise"
    stochastic: ClassVar[bool] = True

    stddev: Traced = Field(ge=0, json_schema_extra={"zero_is_off": True}, description="standard deviation of the noise")
