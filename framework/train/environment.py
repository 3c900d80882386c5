"""What a run was made with: versions, devices, the command and the commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax

PACKAGES = ("framework", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "hydra-core", "numpy")


def environment() -> dict[str, Any]:
    """Versions of Python and packages, platform, devices, command line and git commit, as JSON can hold it."""
    devices = jax.devices()
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "devices": [device.device_kind for device in devices],
        "platform": devices[0].platform,
        "command": sys.argv,
        "git": _git(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    """The commit of the working directory and whether it has changes; None outside a checkout or without git."""
    try:
        commit = _asked("rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_asked("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _asked(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=5).stdout.strip()
