"""Breast tumours, malignant or benign.

Source: W. Wolberg et al., "Breast Cancer Wisconsin (Diagnostic)", UCI, doi:10.24432/C5DW2B; as scikit-learn bundles it.
"""

from __future__ import annotations

from framework.data.bundled import labelled, outline
from framework.data.labels import require_classes
from framework.data.protocol import Collection, Outline

_MEASURED = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
_COLUMNS = (
    *(f"mean {name}" for name in _MEASURED),
    *(f"{name} error" for name in _MEASURED),
    *(f"worst {name}" for name in _MEASURED),
)
_NAMES = ("malignant", "benign")


def describe(*, classes: int) -> Outline:
    """The outline: `features` and `label`."""
    return outline(_COLUMNS, _NAMES, 569, classes, "breast_cancer")


def breast_cancer(*, classes: int) -> Collection:
    """The 569 tumours: mean, standard error and worst value of ten measures of their cell nuclei."""
    require_classes(classes, len(_NAMES), "breast_cancer")
    return labelled("breast_cancer.csv", _COLUMNS, _NAMES)
