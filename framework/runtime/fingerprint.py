"""What traced programs depend on besides a recipe: the code that traces, versions, and settings of the process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import jax

_PACKAGE = Path(__file__).parent.parent
_PACKAGES = ("flax", "numpy", "optax")
"""Besides those in `identity`, under which all programs are kept."""
_PREFIXES = ("FW_", "JAX_", "XLA_", "LIBTPU_", "TF_")
_ELSEWHERE = ("cache", "traceback", "log", "compilation")
"""Settings with one of these words in their names decide where something is kept or what is printed."""


def fingerprint(*parts: str) -> str:
    """A name that two processes give to the same parts only if they would trace the same programs from them."""
    return digest(_code(), settings(), *parts)


def digest(*parts: str) -> str:
    """A short name for texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def settings() -> str:
    """The devices, the number of cores, JAX's settings as they are now, and the variables that XLA reads."""
    devices = [f"{device.id} {device.device_kind}" for device in jax.devices()]
    return "\n".join((*devices, str(_cores()), *_settings()))


def _cores() -> int | None:
    """Those that this process may use: XLA divides its kernels among so many threads when it compiles."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@cache
def _code() -> str:
    """Names, lengths and times of the package's own sources, and the versions of what they call."""
    files = sorted(
        f"{path.relative_to(_PACKAGE)} {stat.st_size} {stat.st_mtime_ns}"
        for path in _PACKAGE.rglob("*.py")
        for stat in (path.stat(),)
    )
    return "\n".join((*files, *(version(name) for name in _PACKAGES)))


def _settings() -> Iterator[str]:
    for name, value in sorted(jax.config.values.items()):
        if not any(word in name for word in _ELSEWHERE):
            yield f"{name}={value}"
    for name, value in sorted(os.environ.items()):
        if name.startswith(_PREFIXES) and not any(word in name.lower() for word in _ELSEWHERE):
            yield f"{name}={value}"
