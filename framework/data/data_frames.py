"""New rows in a data frame of pandas or Polars: columns are found by their names, as in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError
from framework.data.inputs import input_names, scalers_of
from framework.data.protocol import Arrays, Facts
from framework.data.statistics import apply_scalers
from framework.data.tables.frame import MISSING, Frame
from framework.data.tables.layout import Layout, require_columns


def is_data_frame(value: Any) -> bool:
    """Whether a value has named columns."""
    return hasattr(value, "columns") and hasattr(value, "to_numpy") and hasattr(value, "__getitem__")


def read_data_frame(frame: Any, facts: Facts) -> Arrays:
    """The features of a data frame's rows, scaled as the training split was; other columns are ignored.

    Args:
      facts: `Dataset.facts()` of the training run, of a table.

    Raises:
      DataError: a column is missing, or a cell is no number or none of its column's categories.
    """
    columns = tuple(facts["columns"])
    try:
        require_columns(tuple(map(str, frame.columns)), columns, "the data frame")
        table = table_of(frame, columns)
        categories = {name: tuple(items) for name, items in facts.get("learned", {}).get("categorical", {}).items()}
        gaps = facts["scalers"].get("features", {}).get("fill") is not None
        features = Layout(columns, categories).encode(table, gaps=gaps)
    except DataError as error:
        # The reader of tables speaks of the recipe, which is not at fault here.
        raise DataError(replace(problem, key="inputs", fix=None) for problem in error.problems) from None
    return apply_scalers({"features": features}, scalers_of(facts))


def table_of(frame: Any, columns: Sequence[str]) -> Frame:
    """Some columns of a data frame as a table."""
    named = {str(name): name for name in frame.columns}
    cells = {name: _cells(frame[named[name]].to_numpy()) for name in columns}
    rows = len(frame)
    return Frame(cells, (Path("the data frame"),), np.zeros(rows, np.int64), np.arange(1, rows + 1))


def reads_data_frames(facts: Facts) -> bool:
    """Whether a run was trained on named columns."""
    return "features" in input_names(facts) and bool(facts.get("columns"))


def _cells(values: np.ndarray) -> np.ndarray:
    """float64 with NaN, or text with None."""
    if values.dtype.kind in "fiub":
        return values.astype(np.float64)
    plain = [None if cell is None or cell != cell else str(cell).strip() for cell in values.tolist()]
    return np.array([None if cell is None or cell.lower() in MISSING else cell for cell in plain], object)
