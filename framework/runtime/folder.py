"""Where compiled programs are kept. Never imports JAX."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "FW_CACHE"


def cache_folder() -> Path | None:
    """Where compiled programs are kept; None: nowhere.

    `FW_CACHE=FOLDER` names it and `FW_CACHE=off` turns it off; else it is `framework` in `$XDG_CACHE_HOME`, by default
    `~/.cache`. Where JAX's own variable `JAX_COMPILATION_CACHE_DIR` is set, JAX's own cache is left to itself.
    """
    asked = os.environ.get(VARIABLE, "")
    if asked == "off" or os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return None
    if asked:
        return Path(asked).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "framework"


def usable(folder: Path) -> bool:
    """Whether the folder is this user's and can be written; it is made where it is missing.

    A program out of another user's folder would run with this user's rights.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK)
    except OSError:
        return False
