"""Layers that change nothing and tell what passes through them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from framework.config.schema.layers.base import SameShape


class Probe(SameShape):
    """Passes its input on and tells statistics of it, for metrics to read.

    For each example, over all axes but the batch: LABEL_mean, the mean; LABEL_rms, the root of the mean square;
    LABEL_zeros, the share of values that are exactly 0, as those of dead units are. A metric reads them as
    `costs.LABEL_rms` and so on; where nothing reads them, nothing is computed. Of probes with one label, and of the
    copies of a repeated one, they add up. No gradient passes from them.

    Shapes: any -> same.
    """

    op: ClassVar[str] = "probe"

    label: Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")] = Field(description="what its statistics are called by")
