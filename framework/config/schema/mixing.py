"""How examples of a batch are mixed with each other while training, answers included."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from framework.config.schema.base import Spec, Traced


class Mixup(Spec):
    """Each example becomes a weighted mean of itself and another one of its batch, and so does its loss.

    x = a · x_i + (1 - a) · x_j, loss = a · loss(y_i) + (1 - a) · loss(y_j), a ~ Beta(alpha, alpha) for each batch

    Source: Zhang et al., arXiv:1710.09412, section 2.
    """

    type: Literal["mixup"]
    alpha: Traced = Field(0.2, gt=0, description="of the law of the weights: small for little mixing, 1 for any weight")
    probability: Traced = Field(1.0, ge=0, le=1, description="that a batch is mixed")


class CutMix(Spec):
    """A box of each picture is replaced by that of another one of its batch, and the losses are weighed by area.

    loss = a · loss(y_i) + (1 - a) · loss(y_j), a the share of the picture that stays; before the box is cut off at the
    borders, a ~ Beta(alpha, alpha), and its centre is uniform. The box is the same for all pictures of a batch.

    Source: Yun et al., arXiv:1905.04899, section 3.1.
    """

    type: Literal["cutmix"]
    alpha: Traced = Field(1.0, gt=0, description="of the law of the areas: 1 for any area")
    probability: Traced = Field(1.0, ge=0, le=1, description="that a batch is mixed")


Mix = Annotated[Mixup | CutMix, Field(discriminator="type")]
