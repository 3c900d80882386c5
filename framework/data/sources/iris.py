"""Iris flowers.

Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936; as scikit-learn bundles it.
"""

from __future__ import annotations

from framework.data.bundled import labelled, outline
from framework.data.labels import require_classes
from framework.data.protocol import Collection, Outline

_COLUMNS = (
    "sepal length (cm)",
    "sepal width (cm)",
    "petal length (cm)",
    "petal width (cm)",
)
_NAMES = ("setosa", "versicolor", "virginica")


def describe(*, classes: int) -> Outline:
    """The outline: `features` and `label`."""
    return outline(_COLUMNS, _NAMES, 150, classes, "iris")


def iris(*, classes: int) -> Collection:
    """The 150 flowers; all features in centimetres."""
    require_classes(classes, len(_NAMES), "iris")
    return labelled("iris.csv", _COLUMNS, _NAMES)
