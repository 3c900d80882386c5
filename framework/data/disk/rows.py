"""Some rows of arrays on the disk, read into memory that the caller gives, while memory use stays constant.

Rows are visited in the order of the file. Large ones, and neighbours, are read by `preadv`, which puts each row where
it belongs: a mapping would count every page that it ever touched as memory of the process. Small rows that lie apart
are copied out of a mapping, where a system call for each would cost more than the row; its pages are given back
(`MADV_DONTNEED`) before they add up. What is not in the page cache yet is asked for all at once
(`POSIX_FADV_WILLNEED`), so that a disk sees a whole batch of reads and not one after another.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.disk.stored import StoredArray

SMALL_ROW_BYTES = 2048
"""Rows up to this size are copied out of a mapping, where they lie apart."""

_MAPPED_LIMIT_BYTES = 64 << 20
"""A mapping gives its pages back once about so many bytes of them may have been touched."""

_FAULT_BYTES = 64 << 10
"""Linux maps the cached pages around a fault as well: 16 pages of 4 KiB."""

_OPEN_FILES = 128
_PIECES = 512
"""Below IOV_MAX, which is 1024 on Linux and macOS."""


class DiskRows:
    """Arrays of one dtype and shape of a row, one file's rows after another's.

    Safe to use from threads: reading moves no file position.
    """

    def __init__(self, arrays: Sequence[StoredArray]) -> None:
        self.arrays = tuple(arrays)
        self.shape = self.arrays[0].shape[1:]
        self.dtype = self.arrays[0].dtype
        self.row_bytes = math.prod(self.shape) * self.dtype.itemsize
        self._ends = np.cumsum([array.shape[0] for array in self.arrays])
        # As a method's cache it would keep every instance alive; files that are in use stay open when they fall out.
        self._open = lru_cache(maxsize=_OPEN_FILES)(lambda owner: _OpenFile(self.arrays[owner]))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Put the rows into `out`, [len(rows), *shape] of this dtype, in C order.

        Args:
          rows: int64, each in [0, len).

        Raises:
          DataError: a file cannot be read, or has become shorter.
        """
        order = np.argsort(rows, kind="stable")
        along = rows[order]
        cuts = np.searchsorted(along, self._ends)
        first = 0
        for owner in np.flatnonzero(np.diff(cuts, prepend=0)):
            stop = int(cuts[owner])
            before = int(self._ends[owner - 1]) if owner else 0
            self._open(int(owner)).read(along[first:stop] - before, order[first:stop], out, self.row_bytes)
            first = stop

    def everything(self) -> np.ndarray:
        """All rows in memory."""
        out = np.empty((len(self), *self.shape), self.dtype)
        self.read(np.arange(len(self)), out)
        return out


class _OpenFile:
    """A file that is open while anybody uses it."""

    def __init__(self, array: StoredArray) -> None:
        self._array = array
        self._touched = 0
        self._lock = threading.Lock()
        self._mapping: tuple[mmap.mmap, np.ndarray] | None = None
        try:
            self._descriptor = os.open(array.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise _unreadable(array.path, error) from None

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def read(self, rows: np.ndarray, places: np.ndarray, out: np.ndarray, row_bytes: int) -> None:
        """Put the sorted `rows` of this file into `out` at `places`."""
        if not row_bytes:
            return
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        runs = len(breaks) + 1
        if not hasattr(os, "preadv") or (row_bytes <= SMALL_ROW_BYTES and 4 * runs > len(rows)):
            self._copy(rows, places, out, row_bytes)
            return
        flat = memoryview(out.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        pieces: list[tuple[int, list[memoryview], int]] = []
        for start, stop in zip([0, *breaks.tolist()], [*breaks.tolist(), len(rows)], strict=True):
            offset = self._array.offset + int(rows[start]) * row_bytes
            pieces += _pieces(flat, places[start:stop], row_bytes, offset)
        late = [piece for piece in pieces if not self._at_hand(piece)]
        for offset, _, count in late:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(self._descriptor, offset, count, os.POSIX_FADV_WILLNEED)
        for piece in late:
            self._read_fully(piece)

    def _at_hand(self, piece: tuple[int, list[memoryview], int]) -> bool:
        """Whether the piece was in the page cache, and is read now."""
        flag = _without_waiting()
        if not flag:
            return False
        offset, views, count = piece
        try:
            return os.preadv(self._descriptor, views, offset, flag) == count
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):
                _refused.add(flag)
            return False

    def _read_fully(self, piece: tuple[int, list[memoryview], int]) -> None:
        offset, views, count = piece
        while count:
            try:
                got = os.preadv(self._descriptor, views, offset)
            except OSError as error:
                raise _unreadable(self._array.path, error) from None
            if not got:
                raise _unreadable(self._array.path, OSError(f"it ends at byte {offset:,}; it was longer before"))
            offset, count = offset + got, count - got
            while got:
                taken = min(got, len(views[0]))
                views = [views[0][taken:], *views[1:]] if taken < len(views[0]) else views[1:]
                got -= taken

    def _copy(self, rows: np.ndarray, places: np.ndarray, out: np.ndarray, row_bytes: int) -> None:
        pages = self._map()
        mapped = pages[1]
        out[places] = mapped[rows]
        with self._lock:
            self._touched += len(rows) * max(_FAULT_BYTES, row_bytes)
            full = self._touched > _MAPPED_LIMIT_BYTES
            self._touched = 0 if full else self._touched
        if full and hasattr(mmap, "MADV_DONTNEED"):
            # The pages of a shared mapping of a file stay in the page cache; a thread that reads one now faults again.
            pages[0].madvise(mmap.MADV_DONTNEED)

    def _map(self) -> tuple[mmap.mmap, np.ndarray]:
        with self._lock:
            if self._mapping is None:
                array = self._array
                pages = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)
                if hasattr(mmap, "MADV_RANDOM"):
                    # Else each fault reads 128 KiB, of which one row is wanted.
                    pages.madvise(mmap.MADV_RANDOM)
                self._mapping = pages, np.ndarray(array.shape, array.dtype, buffer=pages, offset=array.offset)
            return self._mapping


_refused: set[int] = set()


def _without_waiting() -> int:
    """The flag of `preadv` for what is in the page cache alone; 0 where the system has none."""
    flag = getattr(os, "RWF_NOWAIT", 0)
    return 0 if flag in _refused else flag


def _pieces(
    flat: memoryview, places: np.ndarray, row_bytes: int, offset: int
) -> list[tuple[int, list[memoryview], int]]:
    """Neighbouring rows of the file as reads: the offset, where the bytes go, and how many they are."""
    if len(places) == 1 or (np.diff(places) == 1).all():
        start, count = int(places[0]) * row_bytes, len(places) * row_bytes
        return [(offset, [flat[start : start + count]], count)]
    found = []
    for first in range(0, len(places), _PIECES):
        here = places[first : first + _PIECES].tolist()
        views = [flat[place * row_bytes : (place + 1) * row_bytes] for place in here]
        found.append((offset + first * row_bytes, views, len(views) * row_bytes))
    return found


def _unreadable(path: Path, error: OSError) -> DataError:
    reason = error.strerror or str(error)
    return DataError(
        Problem("data.path", f"'{path}' cannot be read: {reason}", "a file that stays as it is while it is used")
    )
