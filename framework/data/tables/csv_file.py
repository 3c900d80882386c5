"""Reading a CSV file with a header line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.tables.frame import MISSING, Frame


def read_header(path: Path, delimiter: str) -> tuple[str, ...]:
    """The names of the columns.

    Raises:
      DataError: the file is empty, a column has no name or that of another, or it is not UTF-8 text.
    """
    with _rows(path, delimiter) as rows:
        return _header(path, rows, delimiter)


def read_csv(path: Path, delimiter: str, only: tuple[str, ...] | None = None) -> Frame:
    """The table in a file; cells are text, and None where they hold no value.

    Args:
      only: the columns to keep; None: all.

    Raises:
      DataError: a row has another number of cells than the header, or what `read_header` raises.
    """
    with _rows(path, delimiter) as rows:
        names = _header(path, rows, delimiter)
        kept = [index for index, name in enumerate(names) if only is None or name in only]
        cells: list[list[str | None]] = [[] for _ in kept]
        lines: list[int] = []
        for row in rows:
            if not row:
                continue
            if len(row) != len(names):
                raise DataError(
                    Problem(
                        key="data.path",
                        found=f"{path} row {len(lines) + 1} (line {rows.line_num}) has {len(row)} cells",
                        expected=f"{len(names)}, as the header has columns",
                        fix="mend the row, or set data.delimiter",
                    )
                )
            lines.append(rows.line_num)
            for column, index in zip(cells, kept, strict=True):
                cell = row[index].strip()
                column.append(None if cell.casefold() in MISSING else cell)
    count = len(lines)
    return Frame(
        {names[index]: np.array(column, object) for index, column in zip(kept, cells, strict=True)},
        (path,),
        np.zeros(count, np.int64),
        np.arange(1, count + 1),
        np.array(lines, np.int64),
    )


@contextmanager
def _rows(path: Path, delimiter: str) -> Iterator[Any]:
    """A CSV reader whose failures are told as the user's."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
        try:
            yield rows
        except UnicodeDecodeError as error:
            raise DataError(
                Problem("data.path", f"'{path}' is not UTF-8 text (offset {error.start})", "a CSV file in UTF-8")
            ) from None
        except csv.Error as error:
            raise DataError(
                Problem("data.path", f"{path} line {rows.line_num} is not valid CSV: {error}", 'cells, quoted by "')
            ) from None


def _header(path: Path, rows: Iterator[list[str]], delimiter: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in next(rows, []))
    other = next((sign for sign in ";\t|," if sign != delimiter and sign in "".join(names)), None)
    if len(names) == 1 and other is not None:
        begins = names[0] if len(names[0]) <= 40 else f"{names[0][:37]}..."
        found, shown = f"the header of '{path}' is one column, {begins!r}", other.replace("\t", "\\t")
        raise DataError(
            Problem("data.delimiter", found, "the sign between its columns", fix=f"\"data.delimiter='{shown}'\"")
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not names or "" in names or repeated:
        found = (
            "is empty"
            if not names
            else f"names {', '.join(map(repr, repeated))} more than once"
            if repeated
            else f"has no name for column {names.index('') + 1}"
        )
        expected, fix = "a name of its own for each column", None
        if names and names[0] == "" and not repeated:
            expected += "; a first column without one mostly holds the row numbers that pandas writes"
            fix = f"frame.to_csv('{path.name}', index=False), or give the column a name and list it in data.exclude"
        raise DataError(Problem("data.path", f"the header of '{path}' {found}", expected, fix=fix))
    return names
