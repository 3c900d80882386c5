"""The file of a drawing: what its ending asks for, and whether it can be written. Loads no JAX."""

from __future__ import annotations

import os
from pathlib import Path

from framework.core.errors import ConfigError, Problem
from framework.core.files import write_atomically
from framework.core.words import closest, listed

ENDINGS = (".svg", ".png", ".mmd")


def require_writable(path: Path, key: str = "--output") -> None:
    """Refuse a file that cannot become a drawing, before anything is computed.

    Args:
      key: what the error calls it.

    Raises:
      ConfigError: the ending is unknown, the PNG's library is missing, or the place cannot be written.
    """
    flag = "-o " if key.startswith("-") else ""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        near = closest(ending, ENDINGS, cutoff=0.5) or ENDINGS[0]
        found = f"'{path}' ends in '{path.suffix}'" if path.suffix else f"'{path}' has no ending"
        better = path.with_suffix(near) if path.name else Path(f"network{near}")
        raise ConfigError(Problem(key, found, f"a file ending in {listed(ENDINGS)}", fix=f"{flag}{better}"))
    if ending == ".png":
        from framework.report.figures import missing

        if reason := missing():
            fix = f"pip install 'framework[figures]', or {flag}{path.with_suffix('.svg')}"
            raise ConfigError(Problem(key, reason.partition(";")[0], fix=fix))
    if path.is_dir():
        raise ConfigError(Problem(key, f"'{path}' is a folder", "a file", fix=f"{flag}{path / f'network{ending}'}"))
    folder = next(place for place in (path.parent, *path.parent.parents) if place.exists())
    if not folder.is_dir():
        raise ConfigError(Problem(key, f"'{folder}' is a file", "a folder to write into", fix=f"{flag}{path.name}"))
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise ConfigError(Problem(key, f"'{path}' cannot be written", "a place that you may write to"))


def write(path: Path, content: bytes, key: str) -> None:
    """Write a whole file or none.

    Raises:
      ConfigError: the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise ConfigError(
            Problem(key, f"'{path}' cannot be written: {error.strerror or error}", "a place that can be written")
        ) from error
