"""Some rows of arrays on the disk, read into memory that the caller gives, while memory use stays constant.

Rows are visited in the order of the file, and `preadv` puts each where it belongs, neighbours together. Nothing is
mapped: every page of a mapping that was ever touched counts as memory of the process, and giving pages back costs as
much as reading does (64 rows of 64 bytes each: 2.9 us a row out of a mapping, 2.6 by `preadv`). What is not in the page
cache yet is asked for all at once (`POSIX_FADV_WILLNEED`), so that a disk sees a whole batch of reads and not one after
another.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.disk.stored import StoredArray

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
        # A cache that does not refer to its instance. A file that falls out of it is closed after its last use.
        self._open = lru_cache(maxsize=_OPEN_FILES)(lambda owner, arrays=self.arrays: _OpenFile(arrays[owner]))

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
        try:
            self._descriptor = os.open(array.path, os.O_RDONLY)
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
                size = os.fstat(self._descriptor).st_size
                raise _unreadable(self._array.path, OSError(f"it ends at byte {size:,}; it was longer before"))
            offset, count = offset + got, count - got
            while got:
                taken = min(got, len(views[0]))
                views = [views[0][taken:], *views[1:]] if taken < len(views[0]) else views[1:]
                got -= taken


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
