"""Random removal of values while training."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Traced
from framework.config.schema.layers.base import SameShape


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
