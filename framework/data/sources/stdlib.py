"""The Python standard library's own source: real text on every machine, without a download."""

from __future__ import annotations

import hashlib
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from framework.core.errors import DataError, Problem
from framework.data.alphabets import PRINTABLE, Alphabet, code_points, require_vocabulary
from framework.data.protocol import Collection, Outline
from framework.data.windows import TextWindows, cut_windows, window_spec

_SKIPPED_FOLDERS = frozenset(
    {
        "__pycache__",
        "dist-packages",
        "encodings",  # tables of code points
        "ensurepip",
        "idlelib",  # as are tests: left out of many installations
        "lib2to3",
        "pydoc_data",  # one module of long strings
        "site-packages",
        "test",
        "tests",
        "turtledemo",
    }
)
_SKIPPED_STARTS = ("_sysconfigdata", "sitecustomize", "usercustomize", "config-")
"""Names that differ between machines with the same Python."""


def describe(*, context: int, stride: int | None, max_characters: int, vocabulary: int) -> Outline:
    """The outline: `tokens` and `targets` of `context` characters."""
    require_vocabulary(vocabulary, Alphabet(PRINTABLE))
    return Outline(window_spec(context), vocabulary=vocabulary, ordered=True)


def stdlib(*, context: int, stride: int | None, max_characters: int, vocabulary: int) -> Collection:
    """The first `max_characters` of the library's modules, in the order of a hash of their names.

    The order mixes modules of every kind, so that the last part, which validation and test are cut from, is like the
    first. It depends on nothing but the names; the text itself belongs to the Python version that runs.
    """
    letters = Alphabet(PRINTABLE)
    require_vocabulary(vocabulary, letters)
    stream = letters.encode(code_points(_read(max_characters)))
    windows, _ = cut_windows({None: stream}, context, stride)
    return Collection(
        TextWindows(windows.stream, windows.starts, context),
        extents=windows.extents(),
        facts={"learned": {"alphabet": letters.characters}},
    )


def _read(max_characters: int) -> str:
    folder = Path(sysconfig.get_path("stdlib"))
    names = sorted(_modules(folder), key=lambda name: hashlib.sha256(name.encode()).digest())
    parts: list[str] = []
    left = max_characters
    for name in names:
        # A module says itself which encoding it has, and a few are not UTF-8; what cannot be read becomes U+FFFD.
        part = (folder / name).read_text(encoding="utf-8", errors="replace")[:left]
        parts.append(part)
        left -= len(part)
        if left <= 0:
            break
    if not parts:
        raise DataError(
            Problem(
                key="data.type",
                found=f"the standard library's source is not installed in '{folder}'",
                expected="Python modules as .py files",
                fix="data.type=text with a file of your own",
            )
        )
    return "".join(parts)


def _modules(folder: Path) -> Iterator[str]:
    """The modules' paths below the library's folder, with forward slashes."""
    for place, folders, files in os.walk(folder):
        # Pruned in place, so that installed packages, which may be many, are not walked through.
        folders[:] = [name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith(_SKIPPED_STARTS)]
        for name in files:
            if name.endswith(".py") and not name.startswith(_SKIPPED_STARTS):
                yield (Path(place) / name).relative_to(folder).as_posix()
