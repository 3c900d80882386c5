"""A folder of compiled programs that many processes share, each entry whole or absent. Never imports JAX.

An entry is one file: the CRC-32 of its content, then the content. It is written beside its place and renamed, so that
no reader sees half of it; a damaged one is found by its checksum and removed.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SUFFIX = ".entry"
_MOST_ENTRIES = 64
_MOST_BYTES = 512 << 20
_MOST_FOLDERS = 256


class Store:
    """The entries of one folder, by name."""

    def __init__(self, folder: Path, *, most_entries: int = _MOST_ENTRIES) -> None:
        self.folder = folder
        self._most_entries = most_entries

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of every entry that is whole; one that is not is removed."""
        for path in self._files():
            name = path.name.removesuffix(_SUFFIX)
            content = self.get(name)
            if content is not None:
                yield name, content

    def get(self, name: str) -> bytes | None:
        """The content of an entry; None where there is none that is whole and may be read."""
        path = self._path(name)
        try:
            data = path.read_bytes()
        except OSError:  # there was none, another process made room, or it is somebody else's
            return None
        content = data[4:]
        if len(data) < 4 or zlib.crc32(content) != int.from_bytes(data[:4], "little"):
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        return content

    def put(self, name: str, content: bytes) -> None:
        """Add an entry; the oldest ones give way where the folder becomes too large."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(name)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(zlib.crc32(content).to_bytes(4, "little") + content)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._make_room()

    def touch(self) -> None:
        """Note that the folder was used now."""
        if self.folder.is_dir():
            os.utime(self.folder)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def _make_room(self) -> None:
        found = ((stat, path) for path in self._files() if (stat := _stat(path)))
        aged = sorted(((stat.st_mtime, stat.st_size, path) for stat, path in found), reverse=True)
        total = 0
        for index, (_, size, path) in enumerate(aged):
            total += size
            if index and (index >= self._most_entries or total > _MOST_BYTES):
                path.unlink(missing_ok=True)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def forget_oldest(parent: Path) -> None:
    """Remove the folders of `parent` that were used longest ago, beyond a few hundred."""
    folders = sorted((stat.st_mtime, path) for path in parent.iterdir() if (stat := _stat(path)) and path.is_dir())
    for _, path in folders[:-_MOST_FOLDERS]:
        shutil.rmtree(path, ignore_errors=True)
