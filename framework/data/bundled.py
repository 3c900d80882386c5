"""The small data sets that lie in the installed scikit-learn as CSV files.

They are read as files, because importing scikit-learn (and SciPy with it) takes longer than training on them.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.labels import require_classes
from framework.data.protocol import ArraySource, ArraySpec, Collection, Outline


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
    places = package.submodule_search_locations if package else None
    folder = Path(places[0] if places else "sklearn") / "datasets" / "data"
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


def outline(columns: tuple[str, ...], names: tuple[str, ...], examples: int, classes: int, what: str) -> Outline:
    """The outline of a bundled table with class labels: `features` and `label`."""
    require_classes(classes, len(names), what)
    arrays = {"features": ArraySpec((len(columns),), "float32"), "label": ArraySpec((), "int32")}
    return Outline(arrays, classes=len(names), class_names=names, examples=examples)


def labelled(name: str, columns: tuple[str, ...], names: tuple[str, ...]) -> Collection:
    """A bundled table whose last column is the class, under a line that is no header of columns."""
    table = read_table(name, skip_rows=1)
    labels = table[:, -1].astype(np.int32)
    source = ArraySource({"features": table[:, :-1].astype(np.float32), "label": labels})
    return Collection(source, labels=labels, class_names=names, facts={"columns": list(columns)})
