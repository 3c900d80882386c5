"""Parquet tables that need not fit in memory: a row group is decoded when a row of it is asked for, a few are kept.

Columns of fixed-size lists of numbers are several features each; all others are what they are for tables in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.protocol import Arrays, ArraySpec, by_part, checked, filled
from framework.data.tables.frame import Frame
from framework.data.tables.layout import Layout, refuse_missing
from framework.data.tables.parquet_file import arrow, cells, unreadable


@dataclass(frozen=True)
class RowGroup:
    """Rows that lie together: which part of which file, and the number of its first row in the file."""

    file: int
    part: int
    first: int
    rows: int


@dataclass(frozen=True)
class Columns:
    """What the columns become: features in order, and real-valued targets (none where the answer is a class)."""

    layout: Layout
    lists: Mapping[str, int]
    targets: tuple[str, ...]
    gaps: bool

    def spec(self) -> dict[str, ArraySpec]:
        """`features`, and `target` where there is one."""
        found = {"features": ArraySpec((self._width(self.layout.features),), "float32")}
        return found | ({"target": ArraySpec((self._width(self.targets),), "float32")} if self.targets else {})

    @property
    def fixed(self) -> np.ndarray:
        """bool[width]: the features that are 0 or 1 and are not scaled."""
        return np.concatenate(
            [np.full(self._width((name,)), name in self.layout.categories) for name in self.layout.features]
        )

    def _width(self, names: Sequence[str]) -> int:
        categories = self.layout.categories
        return sum(len(categories[name]) if name in categories else self.lists.get(name, 1) for name in names)

    def encode(self, frame: Frame, matrices: Mapping[str, np.ndarray]) -> Arrays:
        """The arrays of some rows; mistakes in all columns are told together."""
        problems: list[Problem] = []
        found: dict[str, list[np.ndarray]] = {"features": []} | ({"target": []} if self.targets else {})
        for array, names in (("features", self.layout.features), ("target", self.targets)):
            for name in names:
                try:
                    found[array].append(matrices[name] if name in self.lists else self._encode(array, frame, name))
                except DataError as error:
                    problems += error.problems
        if problems:
            raise DataError(problems)
        return {array: np.concatenate(parts, axis=1, dtype=np.float32) for array, parts in found.items()}

    def _encode(self, array: str, frame: Frame, name: str) -> np.ndarray:
        if array == "features":
            kept = {name: self.layout.categories[name]} if name in self.layout.categories else {}
            return Layout((name,), kept).encode(frame, gaps=self.gaps)
        refuse_missing(frame, name, "fill it, or leave the row out of the file")
        return frame.numbers(name, "data.classes=N, if it is a class")[:, None].astype(np.float32)


class RowGroups:
    """Row groups of several files as a source.

    Args:
      metadata: what the footer of each file says, so that it is not read again.
      labels: int32[rows] the class of each row, or None.
      keep: how many decoded groups are kept.
    """

    def __init__(
        self,
        files: Sequence[Path],
        metadata: Sequence[Any],
        groups: Sequence[RowGroup],
        columns: Columns,
        labels: np.ndarray | None,
        keep: int,
    ) -> None:
        self._files, self._metadata, self._groups = list(files), list(metadata), list(groups)
        self._columns, self._labels, self._keep = columns, labels, keep
        self._ends = np.cumsum([group.rows for group in groups])
        self._lock = threading.Lock()
        self._decoded: OrderedDict[int, Future[Arrays]] = OrderedDict()
        self.spec = columns.spec() | ({} if labels is None else {"label": ArraySpec((), "int32")})

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`."""
        return filled(self, indices)

    def fill(self, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        """Put the examples at `indices` into arrays [len(indices), ...].

        Raises:
          DataError: a cell of one of their row groups is not what its column should hold, or the file is damaged.
        """
        rows = checked(indices, len(self))
        if self._labels is not None:
            out["label"][...] = self._labels[rows]
        for group, places, inside in by_part(self._ends, rows):
            for name, array in self._group(group).items():
                out[name][places] = array[inside]

    def _group(self, number: int) -> Arrays:
        """A decoded group; threads that want the same one wait for whoever came first."""
        with self._lock:
            waiting = self._decoded.get(number)
            mine = waiting is None
            if waiting is None:
                waiting = self._decoded[number] = Future()
                while len(self._decoded) > self._keep:
                    self._decoded.popitem(last=False)
            self._decoded.move_to_end(number)
        if mine:
            try:
                waiting.set_result(self._decode(number))
            except BaseException as error:
                with self._lock:
                    self._decoded.pop(number, None)
                waiting.set_exception(error)
        return waiting.result()

    def _decode(self, number: int) -> Arrays:
        group = self._groups[number]
        path, columns = self._files[group.file], self._columns
        library, parquet = arrow()
        used = [*columns.layout.features, *columns.targets]
        try:
            # A reader is not for several threads; opening one costs nothing once the footer is known.
            with parquet.ParquetFile(path, metadata=self._metadata[group.file], memory_map=True) as file:
                table = file.read_row_group(group.part, columns=used, use_threads=False)
        except (library.ArrowException, OSError) as error:
            raise unreadable(path, error) from None
        plain = {name: cells(library, path, name, table.column(name)) for name in used if name not in columns.lists}
        row_of = np.arange(group.first + 1, group.first + 1 + group.rows)
        frame = Frame(plain, (path,), np.zeros(group.rows, np.int64), row_of)
        lists = {name: _matrix(path, group, name, table.column(name), size) for name, size in columns.lists.items()}
        return columns.encode(frame, lists)


def _matrix(path: Path, group: RowGroup, name: str, column: Any, size: int) -> np.ndarray:
    """float32[rows, size] of a column of fixed-size lists."""
    values = np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks])
    matrix = values.astype(np.float32).reshape(-1, size) if not column.null_count else np.full((1, 1), np.nan)
    if not np.isfinite(matrix).all():
        rows = np.flatnonzero(~np.isfinite(matrix).all(axis=1)) if not column.null_count else _nulls(column)
        raise DataError(
            Problem(
                "data.path",
                f"{path} row {group.first + 1 + int(rows[0])}, column '{name}' has a missing or infinite value",
                f"{size} finite numbers in every row",
                fix="mend the row, or leave the column out: data.exclude",
            )
        )
    return matrix


def _nulls(column: Any) -> np.ndarray:
    return np.flatnonzero(column.is_null().to_numpy())
