"""Data frames of pandas or Polars as features: numbers as they are, text as one 0/1 feature for each category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.data_frames import table_of
from framework.data.tables.frame import Frame
from framework.data.tables.layout import Layout, refuse_missing, require_columns


@dataclass(frozen=True)
class FrameFeatures:
    """The features of data frames.

    Attributes:
      arrays: split -> float32[rows, features], NaN where a number is missing.
      columns: the columns in order.
      categories: column -> its categories.
    """

    arrays: Mapping[str, np.ndarray]
    columns: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def by_split(self, split: str) -> dict[str, np.ndarray]:
        """The batch array of a split, where it was a data frame."""
        return {"features": self.arrays[split]} if split in self.arrays else {}


def features_of(frames: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> FrameFeatures:
    """The features of a data frame for each split; categories are those of all of them.

    Args:
      facts: of a run: its columns and categories are used.

    Raises:
      DataError: a column is missing, a cell is neither number nor category, or a category is missing.
    """
    first = next(iter(frames.values()))
    columns = tuple(map(str, (facts or {}).get("columns") or first.columns))
    problems: list[Problem] = []
    tables: dict[str, Frame] = {}
    for split, frame in frames.items():
        try:
            require_columns(tuple(map(str, frame.columns)), columns, "the data frame")
            tables[split] = table_of(frame, columns)
        except DataError as error:
            problems += error.problems
    categories: dict[str, tuple[str, ...]] = {}
    if not problems:
        known = (facts or {}).get("learned", {}).get("categorical", {})
        categories = {name: tuple(items) for name, items in known.items()} if facts else _categories(tables, columns)
    arrays = {}
    for split, table in tables.items():
        try:
            for name in categories:
                refuse_missing(table, name, f"frame[{name!r}].fillna('none')")
            arrays[split] = Layout(columns, categories).encode(table, gaps=True)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(replace(problem, key="data") for problem in problems)
    return FrameFeatures(arrays, columns, categories)


def _categories(tables: Mapping[str, Frame], columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The columns that hold text in some split, with all that they hold, sorted."""
    found = {}
    for name in columns:
        if any(table.columns[name].dtype != np.float64 for table in tables.values()):
            cells = {cell for table in tables.values() for cell in table.text(name) if cell is not None}
            found[name] = tuple(sorted(cells))
    return found
