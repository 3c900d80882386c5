"""Where an array of numbers lies in a file: told by its NPY header, whether alone or in an uncompressed NPZ file."""

from __future__ import annotations

import math
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from framework.core.errors import DataError, Problem

_LOCAL_HEADER = struct.Struct("<26xHH")
"""Of a member of a ZIP file: after 26 bytes the lengths of its name and of its extra field (APPNOTE.TXT, 4.3.7)."""


@dataclass(frozen=True)
class StoredArray:
    """An array in C order, from `offset` bytes on in a file.

    Attributes:
      where: how a person names it: the file, and the array in it where there are several.
    """

    path: Path
    where: str
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_stored(path: Path) -> StoredArray:
    """The array of an NPY file, by its header.

    Raises:
      DataError: the file is not NPY, ends before its array does, or holds objects or an array in Fortran order.
    """
    try:
        with path.open("rb") as file:
            shape, fortran, dtype = _header(file)
            offset = file.tell()
        size = path.stat().st_size
    except (ValueError, EOFError, OSError) as error:
        raise _unfit(f"'{path}' cannot be read as NPY: {_reason(error)}", "a file written by np.save") from None
    return _checked(StoredArray(path, f"'{path}'", shape, dtype, offset), size - offset, fortran)


def read_members(path: Path) -> dict[str, StoredArray]:
    """Array name -> where it lies, of the arrays of an NPZ file that are not compressed.

    Raises:
      DataError: the file is not NPZ, or damaged, or an array is one that `read_stored` refuses.
    """
    found: dict[str, StoredArray] = {}
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED:
                    continue
                # The local header has an extra field of its own, so the central directory does not tell its length.
                file.seek(member.header_offset)
                name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
                start = file.seek(name + extra, 1)
                shape, fortran, dtype = _header(file)
                name, offset = member.filename.removesuffix(".npy"), file.tell()
                array = StoredArray(path, f"'{path}': array '{name}'", shape, dtype, offset)
                found[name] = _checked(array, start + member.file_size - offset, fortran)
    except (zipfile.BadZipFile, struct.error, ValueError, EOFError, OSError) as error:
        raise _unfit(f"'{path}' cannot be read as NPZ: {_reason(error)}", "a file written by np.savez") from None
    return found


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(file)
    return (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)


def _checked(array: StoredArray, nbytes: int, fortran: bool) -> StoredArray:
    if array.dtype.hasobject:
        raise _unfit(
            f"{array.where} holds pickled objects, which are never loaded",
            "arrays of numbers; a pickle could run any code",
            "save numbers: np.save(path, np.asarray(x, np.float32))",
        )
    if fortran and len(array.shape) > 1:
        raise _unfit(
            f"{array.where} is in Fortran order, in which the numbers of one example lie apart",
            "an array in C order",
            "np.save(path, np.ascontiguousarray(x))",
        )
    if nbytes < array.nbytes:
        row = array.nbytes // max(1, array.shape[0]) if array.shape else array.nbytes
        raise _unfit(
            f"{array.where} is cut off: {array.dtype}{list(array.shape)} takes {array.nbytes:,} bytes, but "
            f"{nbytes:,} are there ({nbytes // max(1, row):,} whole rows)",
            "a complete file",
            "write or copy it again",
        )
    return array


def _unfit(found: str, expected: str, fix: str | None = None) -> DataError:
    return DataError(Problem("data.path", found, expected, fix=fix))


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
