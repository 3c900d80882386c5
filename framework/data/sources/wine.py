"""Wines of three growers.

Source: S. Aeberhard, M. Forina, "Wine", UCI, doi:10.24432/C5PC7J; as scikit-learn bundles it.
"""

from __future__ import annotations

from framework.data.bundled import labelled, outline
from framework.data.labels import require_classes
from framework.data.protocol import Collection, Outline

_COLUMNS = (
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280/od315_of_diluted_wines",
    "proline",
)
_NAMES = ("class_0", "class_1", "class_2")


def describe(*, classes: int) -> Outline:
    """The outline: `features` and `label`."""
    return outline(_COLUMNS, _NAMES, 178, classes, "wine")


def wine(*, classes: int) -> Collection:
    """The 178 chemical analyses, each feature in its own unit."""
    require_classes(classes, len(_NAMES), "wine")
    return labelled("wine_data.csv", _COLUMNS, _NAMES)
