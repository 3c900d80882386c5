"""A table in memory: named columns, and where each row stands in its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
"""Cells, in any case, that hold no value."""


@dataclass(frozen=True)
class Frame:
    """Columns of one length.

    Attributes:
      columns: name -> cells: float64 with NaN where a value is missing, or objects: text, or None where it is missing.
      files: the files that the rows come from, in order.
      file_of: [rows] the number of each row's file.
      row_of: [rows] the number of each row in its file, from 1.
      lines: [rows] the line in the file where each row ends; None for files without lines.
    """

    columns: Mapping[str, np.ndarray]
    files: tuple[Path, ...]
    file_of: np.ndarray
    row_of: np.ndarray
    lines: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.row_of)

    def place(self, row: int) -> str:
        """Where a row stands, as a person finds it: `flowers.csv row 3 (line 4)`."""
        line = "" if self.lines is None else f" (line {self.lines[row]})"
        return f"{self.files[self.file_of[row]]} row {self.row_of[row]}{line}"

    def missing(self, name: str) -> np.ndarray:
        """bool[rows]: where a column has no value."""
        cells = self.columns[name]
        if cells.dtype == np.float64:
            return np.isnan(cells)
        return np.array([cell is None for cell in cells], bool)

    def text(self, name: str) -> np.ndarray:
        """object[rows]: a column as text, whole numbers without a point; None where the value is missing."""
        cells = self.columns[name]
        if cells.dtype != np.float64:
            return cells
        return np.array([None if np.isnan(cell) else _written(cell) for cell in cells], object)

    def numbers(self, name: str, fix: str | None = None) -> np.ndarray:
        """float64[rows]: a column as numbers, NaN where the value is missing.

        Raises:
          DataError: a cell is not a finite number; the first such row is told, and how many there are.
        """
        cells = self.columns[name]
        if cells.dtype != np.float64:
            try:
                cells = np.array(["nan" if cell is None else cell for cell in cells], np.float64)
            except ValueError:
                self._refuse(name, np.array([cell is not None and not _is_number(cell) for cell in cells]), fix)
        if np.isinf(cells).any():
            self._refuse(name, np.isinf(cells), fix)
        return cells

    def _refuse(self, name: str, wrong: np.ndarray, fix: str | None) -> None:
        rows = np.flatnonzero(wrong)
        more = f" ({len(rows)} such cells)" if len(rows) > 1 else ""
        cell = self.columns[name][rows[0]]
        expected = "a number"
        if _has_decimal_comma(cell):
            expected = "a number with a decimal point, not a comma"
            fix = "pandas.read_csv(FILE, sep=';', decimal=',').to_csv(FILE, index=False) writes it so"
        raise DataError(
            Problem(
                key="data.path",
                found=f"{self.place(int(rows[0]))}, column '{name}' holds {_shown(cell)}, not a finite number{more}",
                expected=expected,
                fix=fix,
            )
        )

    def select(self, rows: np.ndarray) -> Frame:
        """The table with only some rows."""
        return Frame(
            {name: cells[rows] for name, cells in self.columns.items()},
            self.files,
            self.file_of[rows],
            self.row_of[rows],
            None if self.lines is None else self.lines[rows],
        )

    def identities(self, names: Sequence[str]) -> list[bytes]:
        """The written contents of each row in some columns."""
        columns = [self.text(name) for name in names]
        return [
            "\x1f".join("" if cell is None else cell for cell in row).encode() for row in zip(*columns, strict=True)
        ]


def stacked(frames: Sequence[Frame]) -> Frame:
    """Tables with the same columns, one below the other; a column is text when one of them says so."""
    first = frames[0]
    if len(frames) == 1:
        return first
    columns = {}
    for name in first.columns:
        numeric = all(frame.columns[name].dtype == np.float64 for frame in frames)
        columns[name] = np.concatenate([frame.columns[name] if numeric else frame.text(name) for frame in frames])
    offsets = np.cumsum([0, *(len(frame.files) for frame in frames[:-1])])
    lines = [frame.lines for frame in frames if frame.lines is not None]
    return Frame(
        columns,
        tuple(file for frame in frames for file in frame.files),
        np.concatenate([frame.file_of + offset for frame, offset in zip(frames, offsets, strict=True)]),
        np.concatenate([frame.row_of for frame in frames]),
        np.concatenate(lines) if len(lines) == len(frames) else None,
    )


def _has_decimal_comma(cell: object) -> bool:
    return isinstance(cell, str) and _is_number(cell.replace(",", ".", 1))


def _written(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _shown(cell: object) -> str:
    return repr(cell) if isinstance(cell, str) else str(cell)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
