"""The section `metrics`: what is reported of each split, and which arrays each metric reads."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from framework.config.schema.base import Component, KeyPath, Number
from framework.config.schema.expressions import Formula
from framework.config.schema.own import Wired, or_own

Classes = Annotated[int, Field(ge=2, le=65536, description="number of classes")]
Threshold = Annotated[Number, Field(gt=0, lt=1, description="probability above which a yes-or-no answer counts as yes")]
Average = Annotated[
    Literal["macro", "micro", "weighted", "binary"],
    Field(
        description="macro: the mean over classes; weighted: by how often each is true; micro: of the counts summed "
        "over classes; binary: of class 1 alone"
    ),
]


class MetricSpec(Component):
    """What every metric has: a type."""

    family: ClassVar[str] = "metric"


class ClassificationMetric(MetricSpec):
    """What the metrics of labels share: the arrays they read."""

    logits: KeyPath = Field("outputs.logits", description="[batch, ..., classes]; or as the labels, for yes or no")
    labels: KeyPath = Field("batch.label", description="[batch, ...] integers")


class RegressionMetric(MetricSpec):
    """What the metrics of real-valued targets share: the arrays they read."""

    predictions: KeyPath = Field("outputs.prediction", description="[batch, ...]")
    targets: KeyPath = Field("batch.target", description="[batch, ...]")


class Accuracy(ClassificationMetric):
    """Share of labels that the highest logit, or the threshold, predicts."""

    type: Literal["accuracy"]
    threshold: Threshold = 0.5


class TopK(ClassificationMetric):
    """Share of labels among the k highest logits."""

    type: Literal["top_k"]
    k: int = Field(5, ge=1)


class Rate(ClassificationMetric):
    """What the metrics of each class share: how many there are, and how they are averaged."""

    classes: Classes
    average: Average = "macro"
    threshold: Threshold = 0.5

    @model_validator(mode="after")
    def _binary_needs_two_classes(self) -> Self:
        if self.average == "binary" and self.classes != 2:
            raise ValueError(f"average=binary needs 2 classes, but there are {self.classes}")
        return self


class F1(Rate):
    """Harmonic mean of precision and recall."""

    type: Literal["f1"]


class Precision(Rate):
    """Share of the predictions of a class that are right."""

    type: Literal["precision"]


class Recall(Rate):
    """Share of the examples of a class that are found."""

    type: Literal["recall"]


class Auroc(ClassificationMetric):
    """Area under the ROC curve: the chance that a positive is ranked above a negative."""

    type: Literal["auroc"]
    classes: Classes
    bins: int = Field(8192, ge=2, le=1 << 20, description="bins of the histogram of the log-odds")


class Confusion(ClassificationMetric):
    """Counts of examples by true class (row) and predicted class (column)."""

    type: Literal["confusion"]
    classes: Annotated[int, Field(ge=2, le=4096, description="number of classes")]
    threshold: Threshold = 0.5


class Perplexity(ClassificationMetric):
    """Exponential of the mean cross-entropy: the number of equally likely choices that would cost as much."""

    type: Literal["perplexity"]


class MeanSquaredErrorMetric(RegressionMetric):
    """Mean squared error, in squared units of the target."""

    type: Literal["mse"]


class RootMeanSquaredError(RegressionMetric):
    """Square root of the mean squared error, in units of the target."""

    type: Literal["rmse"]


class MeanAbsoluteErrorMetric(RegressionMetric):
    """Mean absolute error, in units of the target."""

    type: Literal["mae"]


class R2(RegressionMetric):
    """Share of the targets' variance that the predictions explain; the mean over the outputs."""

    type: Literal["r2"]
    outputs: int = Field(1, ge=1, description="numbers predicted for each example")


class ExpressionMetric(Formula, MetricSpec):
    """The mean over examples of an array expression over wired arrays."""

    type: Literal["expr"]
    higher_is_better: bool = Field(False, description="which way a model improves")


class OwnMetric(Wired, MetricSpec):
    """A function of the user's own, one value for each example; or a class, whose states merge."""

    type: Literal["_target_"] = "_target_"
    higher_is_better: bool | None = Field(None, description="which way a model improves; null: as the class says")


Metric = Annotated[
    Accuracy
    | TopK
    | F1
    | Precision
    | Recall
    | Auroc
    | Confusion
    | Perplexity
    | MeanSquaredErrorMetric
    | RootMeanSquaredError
    | MeanAbsoluteErrorMetric
    | R2
    | ExpressionMetric,
    Field(discriminator="type"),
    *or_own(OwnMetric),
]
"""Any metric, told apart by `type`, or of the user's own."""
