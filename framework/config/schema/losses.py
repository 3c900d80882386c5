"""The section `losses`: what is minimised, and which arrays each loss reads."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from framework.config.schema.base import Component, KeyPath, Number, Traced
from framework.config.schema.expressions import Formula
from framework.config.schema.own import Wired, or_own

Smoothing = Annotated[
    Traced,
    Field(
        ge=0,
        lt=1,
        json_schema_extra={"zero_is_off": True},
        description="share of the target mass that is spread evenly over the classes",
    ),
]


class LossSpec(Component):
    """What every loss has: its share in the sum that is minimised."""

    family: ClassVar[str] = "loss"

    weight: Traced = Field(1.0, description="factor of this loss in the sum that is minimised")


class CrossEntropy(LossSpec):
    """Cross-entropy of class labels under softmax(logits), in nats."""

    type: Literal["cross_entropy"]
    logits: KeyPath = Field("outputs.logits", description="[batch, ..., classes]")
    labels: KeyPath = Field("batch.label", description="[batch, ...] integers, or probabilities of the logits' shape")
    smoothing: Smoothing = 0.0
    class_weights: tuple[Annotated[Number, Field(ge=0)], ...] | None = Field(
        None, strict=False, min_length=2, description="one factor per class; null: all 1"
    )


class BinaryCrossEntropy(LossSpec):
    """Cross-entropy of yes-or-no labels under sigmoid(logits), in nats."""

    type: Literal["bce"]
    logits: KeyPath = Field("outputs.logits", description="[batch, ...], or with one more axis of length one")
    labels: KeyPath = Field("batch.label", description="0 or 1, or probabilities in [0, 1]")
    smoothing: Smoothing = 0.0
    positive_weight: Traced = Field(1.0, gt=0, description="factor of the term of positive labels")


class RegressionLoss(LossSpec):
    """What the losses of real-valued targets share: the arrays they read."""

    predictions: KeyPath = Field("outputs.prediction", description="[batch, ...]")
    targets: KeyPath = Field("batch.target", description="[batch, ...]")


class MeanSquaredError(RegressionLoss):
    """Squared error, averaged over the axes of one example, in squared units of the target."""

    type: Literal["mse"]


class MeanAbsoluteError(RegressionLoss):
    """Absolute error, averaged over the axes of one example, in units of the target."""

    type: Literal["mae"]


class Huber(RegressionLoss):
    """Half the squared error up to `delta`, linear beyond it."""

    type: Literal["huber"]
    delta: Traced = Field(1.0, gt=0, description="error, in units of the target, where the loss turns linear")


class ExpressionLoss(Formula, LossSpec):
    """An array expression over wired arrays, one value for each example."""

    type: Literal["expr"]


class OwnLoss(Wired, LossSpec):
    """A function of the user's own, one value for each example."""

    type: Literal["_target_"] = "_target_"


Loss = Annotated[
    CrossEntropy | BinaryCrossEntropy | MeanSquaredError | MeanAbsoluteError | Huber | ExpressionLoss,
    Field(discriminator="type"),
    *or_own(OwnLoss),
]
"""Any loss, told apart by `type`, or of the user's own."""
