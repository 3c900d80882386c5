"""Which columns of a table become features, and how: numbers as they are, categories as one 0/1 feature each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed
from framework.data.tables.frame import Frame


@dataclass(frozen=True)
class Layout:
    """The features of a table.

    Attributes:
      features: the feature columns, in order.
      categories: column -> its categories; the other columns are numbers.
    """

    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    @property
    def width(self) -> int:
        """How many features there are."""
        return sum(len(self.categories[name]) if name in self.categories else 1 for name in self.features)

    @property
    def fixed(self) -> np.ndarray:
        """bool[width]: the features that are 0 or 1 and are not scaled."""
        parts = [[True] * len(self.categories[name]) if name in self.categories else [False] for name in self.features]
        return np.array([flag for part in parts for flag in part], bool)

    def encode(self, frame: Frame, *, gaps: bool) -> np.ndarray:
        """float32[rows, width]: the features of each row.

        A missing number is NaN, a missing category has no feature set.

        Args:
          gaps: whether values may be missing.

        Raises:
          DataError: a cell is no number, or none of its column's categories, or missing; all columns are told at once.
        """
        parts: list[np.ndarray] = []
        problems: list[Problem] = []
        for name in self.features:
            try:
                if not gaps:
                    refuse_missing(frame, name)
                if name in self.categories:
                    parts.append(_one_hot(frame, name, self.categories[name]))
                else:
                    fix = f"'+data.categorical.{name}=null' (categories), or data.exclude=['{name}']"
                    parts.append(frame.numbers(name, fix)[:, None])
            except DataError as error:
                problems.extend(error.problems)
        if problems:
            raise DataError(problems)
        return np.concatenate(parts, axis=1).astype(np.float32)


def choose_columns(
    header: Sequence[str],
    target: Sequence[str],
    features: Sequence[str] | None,
    exclude: Sequence[str],
    categorical: Sequence[str],
    where: str,
) -> tuple[str, ...]:
    """The feature columns: those named, or all that are neither a target nor excluded.

    Raises:
      DataError: a named column does not exist, is a target and a feature, or none is left; all problems are told.
    """
    named = {"target": target, "features": features or (), "exclude": exclude, "categorical": categorical}
    problems = [
        _no_column(f"data.{field}", name, header, where)
        for field, names in named.items()
        for name in names
        if name not in header
    ]
    chosen = tuple(features) if features else tuple(name for name in header if name not in {*target, *exclude})
    problems += [
        Problem(f"data.{field}", f"column '{name}' {mistake}", "each column in one place")
        for field, names, mistake in (
            ("features", [name for name in chosen if name in target], "is a target and a feature"),
            ("categorical", [name for name in categorical if name in header and name not in chosen], "is no feature"),
        )
        for name in names
    ]
    if not chosen and not problems:
        problems.append(Problem("data.features", f"no feature column is left in {where}", "at least one"))
    if problems:
        raise DataError(problems)
    return chosen


def require_columns(header: Sequence[str], names: Sequence[str], where: str) -> None:
    """Refuse a table that lacks columns.

    Raises:
      DataError: naming all missing columns, with the closest ones there are.
    """
    problems = [_no_column("data.path", name, header, where) for name in names if name not in header]
    if problems:
        raise DataError(problems)


def refuse_missing(frame: Frame, name: str, fix: str = "data.missing=mean, zero or drop") -> None:
    """Refuse a column with missing values.

    Raises:
      DataError: naming the first row, and how many there are.
    """
    rows = np.flatnonzero(frame.missing(name))
    if len(rows):
        more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        raise DataError(
            Problem(
                key="data.missing",
                found=f"{frame.place(int(rows[0]))}, column '{name}' has no value{more}",
                expected="a value in every row",
                fix=fix,
            )
        )


def observed(frame: Frame, name: str) -> tuple[str, ...]:
    """The categories that a column holds, sorted."""
    return tuple(sorted({cell for cell in frame.text(name) if cell is not None}))


def _one_hot(frame: Frame, name: str, categories: Sequence[str]) -> np.ndarray:
    cells = frame.text(name)
    number = {category: index for index, category in enumerate(categories)}
    wrong = [row for row, cell in enumerate(cells) if cell is not None and cell not in number]
    if wrong:
        near = closest(cells[wrong[0]], categories)
        raise DataError(
            Problem(
                key=f"data.categorical.{name}",
                found=f"{frame.place(wrong[0])}, column '{name}' holds the unknown category '{cells[wrong[0]]}'",
                expected=listed(categories),
                fix=f"write '{near}' there" if near else None,
            )
        )
    table = np.vstack([np.eye(len(categories)), np.zeros(len(categories))])
    return table[[-1 if cell is None else number[cell] for cell in cells]]


def _no_column(key: str, name: str, header: Sequence[str], where: str) -> Problem:
    near = closest(name, header)
    fix = None
    if near:
        fix = f"{key}={near}" if key == "data.target" else f"'{near}' instead of '{name}'"
    return Problem(key, f"{where} has no column '{name}'", listed(header), fix=fix)
