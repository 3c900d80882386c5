"""The small data sets that lie in the installed scikit-learn as CSV files.

They are read as files, because importing scikit-learn (and SciPy with it) takes longer than training on them.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem


def read_table(name: str, *, delimiter: str | None = ",", skip_rows: int = 0) -> np.ndarray:
    """float64[rows, columns] of one bundled file.

    Args:
      name: the file's name in `sklearn/datasets/data`, e.g. `iris.csv` or `digits.csv.gz`.
      delimiter: what parts the columns; None: white space.
      skip_rows: leading lines that hold no numbers.

    Raises:
      DataError: scikit-learn is not installed, or holds no such file.
    """
    package = importlib.util.find_spec("sklearn")
    folder = Path((package and package.submodule_search_locations or ["sklearn"])[0]) / "datasets" / "data"
    path = folder / name
    if not path.is_file():
        raise DataError(
            Problem(
                key="data.type",
                found=f"scikit-learn's bundled file {name} is not installed",
                expected=f"a file in {folder}",
                fix="pip install 'scikit-learn>=1.5'",
            )
        )
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return np.loadtxt(file, delimiter=delimiter, skiprows=skip_rows, ndmin=2)
