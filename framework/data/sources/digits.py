"""Handwritten digits.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, doi:10.24432/C50P49; the 1797 examples
of its test file, as scikit-learn bundles them.
"""

from __future__ import annotations

import numpy as np

from framework.data.bundled import read_table
from framework.data.labels import require_classes
from framework.data.protocol import ArraySource, ArraySpec, Collection, Outline

_NAMES = tuple("0123456789")


def describe(*, classes: int) -> Outline:
    """The outline: `image` 8 x 8 x 1 in [0, 1] and `label`."""
    require_classes(classes, 10, "digits")
    arrays = {"image": ArraySpec((8, 8, 1), "float32"), "label": ArraySpec((), "int32")}
    return Outline(arrays, classes=10, class_names=_NAMES, examples=1797)


def digits(*, classes: int) -> Collection:
    """The 1797 images; grey levels 0 to 16 are scaled to [0, 1]."""
    require_classes(classes, 10, "digits")
    table = read_table("digits.csv.gz")
    labels = table[:, 64].astype(np.int32)
    images = (table[:, :64] / 16.0).astype(np.float32).reshape(-1, 8, 8, 1)
    return Collection(ArraySource({"image": images, "label": labels}), labels=labels, class_names=_NAMES)
