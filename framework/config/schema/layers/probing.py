"""Layers that change nothing and tell what passes through them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from framework.config.schema.layers.base import SameShape


class Probe(SameShape):
    """Passes its input on and logs statistics of it, in training and in evaluations.

    Over all axes but the batch: LABEL_mean, the mean; LABEL_rms, the root of the mean square; LABEL_zeros, the share of
    values that are exactly 0, as those of dead units are. The records of each split hold `probe.LABEL_rms` and so on:
    the mean over examples, over probes with one label and over the copies of a repeated one, and in training over the
    steps of a record. Metrics and losses read them for each example as `costs.LABEL_rms`, there as sums over probes and
    copies. No gradient passes from them, and prediction computes none of them.

    Shapes: any -> same.
    """

    op: ClassVar[str] = "probe"
    statistics: ClassVar[tuple[str, ...]] = ("mean", "rms", "zeros")

    label: Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")] = Field(description="what its statistics are called by")
