"""Writing files so that a reader, or a process that starts after a crash, sees either the old content or the new."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from framework.core.errors import Problem, RunError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replaces the file at `path` in one step: a temporary file beside it, fsync, rename, fsync of the folder.

    Raises:
      RunError: the disk is full, the folder is missing or may not be written; the path is named.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def write_together(files: Mapping[Path, str]) -> None:
    """Replaces many files, each in one step and in the order given, with one wait for the disk instead of one a file.

    Missing folders are made. After a crash each file has its old content or its new one; when this returns, all have
    the new one durably.

    Raises:
      RunError: the disk is full, or a folder may not be written; the path is named.
    """
    temporaries: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            temporaries.append((temporary, path))
            temporary.write_text(content, encoding="utf-8")
        os.sync()
        for temporary, path in temporaries:
            temporary.replace(path)
        os.sync()
    except OSError as error:
        for temporary, _ in temporaries:
            temporary.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable: without it a rename may be lost when the power fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(path: Path, error: BaseException) -> RunError:
    """The error for a file that cannot be written, in words that name the path and the cause."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return RunError(
        Problem(
            key=str(path),
            found=f"could not be written: {reason}",
            expected="room on the disk and the right to write there",
            fix="free some space or mend the rights, then type the same command again; or choose another run.dir=PATH",
        )
    )
