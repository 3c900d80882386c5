"""Layers that draw samples of a law whose parameters the network computes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Number
from framework.config.schema.layers.base import LayerSpec


class GaussianSample(LayerSpec):
    """A sample of a normal law with independent features while training, and its mean otherwise.

    z = mean + exp(log_variance / 2) · e, e ~ N(0, 1); outside of training z = mean

    It is differentiated through both inputs (the reparametrisation). `log_variance` is kept within ±`limit`, so that
    a wild start overflows nothing.

    Tells a cost for each example, which a loss reads as `costs.kl`: the divergence, in nats, of the law from the
    standard normal one, (mean² + exp(log_variance) - 1 - log_variance) / 2, summed over all axes but the batch.
    That cost with a weight of 1, and the log-likelihood of the data, make the variational bound; with another weight
    it is a beta-VAE's.

    Shapes: mean and log_variance [batch, ...] -> same.
    Source: Kingma and Welling, arXiv:1312.6114, sections 2.3, 2.4 and appendix B; weights, Higgins et al., ICLR 2017.
    """

    op: ClassVar[str] = "gaussian_sample"
    inputs: ClassVar[tuple[str, ...] | None] = ("mean", "log_variance")
    shape: ClassVar[str] = "mean and log_variance [batch, ...] -> same"
    stochastic: ClassVar[bool] = True

    limit: Number = Field(20.0, gt=0, description="the largest absolute value of log_variance that counts")
