"""Diabetes: how far the disease has gone after a year.

Source: Efron et al., "Least angle regression", Annals of Statistics 32, 2004; as scikit-learn bundles it, with the
features in their own units (scikit-learn's loader scales them by statistics of all examples, the test ones too).
"""

from __future__ import annotations

import numpy as np

from framework.data.bundled import read_table
from framework.data.protocol import ArraySource, ArraySpec, Collection, Outline

_COLUMNS = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


def describe() -> Outline:
    """The outline: `features` and `target`."""
    arrays = {"features": ArraySpec((len(_COLUMNS),), "float32"), "target": ArraySpec((1,), "float32")}
    return Outline(arrays, examples=442)


def diabetes() -> Collection:
    """The 442 patients: age, sex, body mass index, blood pressure and six blood values; the target is 25 to 346."""
    features = read_table("diabetes_data_raw.csv.gz", delimiter=None).astype(np.float32)
    target = read_table("diabetes_target.csv.gz", delimiter=None).astype(np.float32)
    return Collection(ArraySource({"features": features, "target": target}), facts={"columns": list(_COLUMNS)})
