"""NPZ files: their headers without their data, and their arrays without ever unpickling anything."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed

Header = tuple[tuple[int, ...], np.dtype]


def read_headers(path: Path) -> dict[str, Header]:
    """Array name -> shape and dtype.

    Raises:
      DataError: the file is not NPZ, or damaged, or holds pickled objects.
    """
    headers = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                with archive.open(member) as file:
                    version = npy.read_magic(file)
                    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                    shape, _, dtype = read(file)
                headers[member.removesuffix(".npy")] = (shape, dtype)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise _unreadable(path, error) from None
    pickled = [name for name, (_, dtype) in headers.items() if dtype.hasobject]
    if pickled:
        raise DataError(
            Problem(
                key="data.path",
                found=f"'{path}' holds pickled objects in {', '.join(pickled)}, which are never loaded",
                expected="arrays of numbers; a pickle could run any code",
                fix="save numbers: np.savez(path, x=np.asarray(x, np.float32))",
            )
        )
    return headers


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Some arrays of a file.

    Raises:
      DataError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise _unreadable(path, error) from None


def require_arrays(path: Path, headers: dict[str, Header], names: Iterable[str], key: str) -> None:
    """Refuse a file that lacks arrays.

    Raises:
      DataError: naming all missing arrays, with the closest ones there are.
    """
    problems = []
    for name in names:
        if name not in headers:
            near = closest(name, headers)
            fix = f"'{near}' instead of '{name}'" if near else None
            problems.append(Problem(key, f"'{path}' has no array '{name}'", listed(headers), fix=fix))
    if problems:
        raise DataError(problems)


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(Problem("data.path", f"'{path}' cannot be read as NPZ: {reason}", "a file written by np.savez"))
