"""JAX's persistent compilation cache, on by default and safe to share.

JAX writes an entry in place: a process that is killed meanwhile leaves half of one, which it then neither reads nor
mends. So JAX is given a private folder, filled from a store (`store.py`) with what earlier processes compiled for the
same recipe, each entry checked; what it adds is copied to the store afterwards.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import jax

from framework.runtime.folder import cache_folder, usable
from framework.runtime.identity import identity
from framework.runtime.known import PREFIX, Known
from framework.runtime.store import Store, forget_oldest

_SMALLEST_SECONDS = 0.05
"""A program that compiles faster than this is not worth a file."""
_ENDING = "-cache"
_ABANDONED_SECONDS = 3600
"""A process in another container may have a number that lives nowhere here."""


class Programs:
    """The programs that this process takes from the store and gives to it.

    Args:
      root: the folder of the store. The programs of unlike versions and processors are kept apart in it.
    """

    def __init__(self, root: Path) -> None:
        self._parent = root / "programs" / identity()
        self._private = _private_folder()
        self._store: Store | None = None
        self._known: set[str] = set()
        self._settings = {
            "jax_compilation_cache_dir": str(self._private),
            "jax_persistent_cache_min_compile_time_secs": _SMALLEST_SECONDS,
            "jax_persistent_cache_enable_xla_caches": "none",
        }

    def use(self, name: str) -> None:
        """Let JAX find what was compiled under a name, and keep under it what is compiled from now on."""
        if jax.config.jax_compilation_cache_dir not in (None, str(self._private)):  # pyright: ignore[reportAttributeAccessIssue]
            return  # the user's own program has chosen
        self.keep()
        folder = self._parent / (re.sub(r"[^\w.-]+", "_", name).strip(".") or "unnamed")
        if self._store is not None and self._store.folder == folder:
            return  # a process that opens many runs of a recipe reads its programs once
        self._store = Store(folder)
        try:
            for key, content in self._store.entries():
                if key not in self._known:
                    (self._private / key).write_bytes(content)
                    self._known.add(key)
            self._store.touch()
        except OSError:
            return  # what cannot be read is compiled again
        for setting, value in self._settings.items():
            jax.config.update(setting, value)

    def known(self, *parts: str) -> Known | None:
        """What was made from these parts under the name in use; None where the user's program keeps its own."""
        return None if self._store is None else Known(self._store.folder / "known", self._private, *parts)

    def keep(self, *, settled: float = 1.0) -> None:
        """Copy what was compiled since to the store; where there is no room, nothing is kept.

        Args:
          settled: seconds since its last change after which a file is whole; JAX may be writing a newer one.
        """
        if self._store is None:
            return
        before = time.time() - settled
        with suppress(OSError):
            new = [
                path
                for path in self._private.glob(f"*{_ENDING}")
                if path.name not in self._known and not path.name.startswith(f"jit_{PREFIX}")
            ]
            whole = [path for path in new if path.stat().st_mtime <= before]
            self._known.update(path.name for path in whole)
            for path in whole:
                self._store.put(path.name, path.read_bytes())

    def close(self) -> None:
        """Keep what is new and remove the private folder."""
        self.keep(settled=0)
        if self._parent.is_dir():
            with suppress(OSError):
                forget_oldest(self._parent)
        shutil.rmtree(self._private, ignore_errors=True)


def _private_folder() -> Path:
    """A new folder of this process; those of processes that were killed are removed."""
    start = f"fw-programs-{os.getuid()}-"
    for left in Path(tempfile.gettempdir()).glob(f"{start}*"):
        process = left.name.removeprefix(start).partition("-")[0]
        old = time.time() - left.stat().st_mtime > _ABANDONED_SECONDS
        if old and process.isdigit() and not _lives(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{start}{os.getpid()}-"))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@cache
def programs() -> Programs | None:
    """The programs of this process; None where no folder for them can be used."""
    root = cache_folder()
    if root is None:
        return None
    if not usable(root):
        return None
    try:
        made = Programs(root)
    except OSError:
        return None
    atexit.register(made.close)
    return made
