"""Reading a Parquet file by pyarrow, which is loaded only here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.tables.frame import MISSING, Frame


def read_schema(path: Path) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and the number of rows, from the file's footer.

    Raises:
      DataError: pyarrow is not installed, or the file is not Parquet.
    """
    library, parquet = arrow()
    try:
        file = parquet.ParquetFile(path)
        return tuple(file.schema_arrow.names), int(file.metadata.num_rows)
    except (library.ArrowException, OSError) as error:
        raise unreadable(path, error) from None


def read_parquet(path: Path, only: tuple[str, ...] | None = None) -> Frame:
    """The table in a file: numbers and booleans as float64, other columns as text.

    Raises:
      DataError: as `read_schema`, or a column is of a type that is neither a number nor text.
    """
    library, parquet = arrow()
    try:
        # A file object keeps pyarrow from reading folder names such as `year=2020` as columns.
        with path.open("rb") as file:
            table = parquet.read_table(file, columns=None if only is None else list(only))
    except (library.ArrowException, OSError) as error:
        raise unreadable(path, error) from None
    columns = {name: cells(library, path, name, table.column(name)) for name in table.column_names}
    count = table.num_rows
    return Frame(columns, (path,), np.zeros(count, np.int64), np.arange(1, count + 1))


def cells(library: Any, path: Path, name: str, column: Any) -> np.ndarray:
    """A column as a frame holds it.

    Raises:
      DataError: it is of a type that is neither a number nor text.
    """
    kinds = library.types
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind) or kinds.is_decimal(kind):
        # Nulls become NaN on the way to NumPy.
        return np.array(column.cast(library.float64(), safe=False).to_numpy(), np.float64)
    if kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_null(kind):
        texts = [None if value is None else value.strip() for value in column.to_pylist()]
        return np.array([None if text is None or text.casefold() in MISSING else text for text in texts], object)
    raise DataError(
        Problem(
            key="data.path",
            found=f"{path}, column '{name}' is of type {kind}",
            expected="numbers, booleans or text",
            fix=f"data.exclude=['{name}']",
        )
    )


def arrow() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`.

    Raises:
      DataError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            Problem(
                key="data.type",
                found="Parquet files need pyarrow, which is not installed",
                expected="the extra `parquet`",
                fix="pip install 'framework[parquet]'",
            )
        ) from None
    return pyarrow, pyarrow.parquet


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file that is not Parquet, or damaged."""
    reason = str(error).splitlines()[0]
    return DataError(Problem("data.path", f"'{path}' is not a Parquet file: {reason}", "a Parquet file"))
