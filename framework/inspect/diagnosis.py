"""Is this machine fit for a run: versions, devices, caches, folders; each finding with what to do where it is not."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from framework.inspect import machine
from framework.inspect.machine import Finding

MINIMUM_PYTHON = (3, 11)

REQUIRED = {
    "jax": "jax>=0.10",
    "jaxlib": "jaxlib",
    "flax": "flax>=0.12",
    "optax": "optax>=0.2.6",
    "orbax-checkpoint": "orbax-checkpoint>=0.11.36,<0.13",
    "hydra-core": "hydra-core>=1.3.2,<1.4",
    "omegaconf": "omegaconf>=2.3,<2.4",
    "pydantic": "pydantic>=2.11,<3",
    "numpy": "numpy>=2.0",
    "rich": "rich>=13.9",
    "tensorboardX": "tensorboardX>=2.6.2",
    "scikit-learn": "scikit-learn>=1.5",
}

EXTRAS = {
    "parquet": ("pyarrow", "Parquet tables"),
    "images": ("pillow", "folders of images, PNG input"),
    "figures": ("matplotlib", "learning curves and confusion matrices as PNG"),
    "tensorboard": ("tensorboard", "reading tensorboard/ with its own server"),
}


def diagnose(run_folder: Path = Path("runs")) -> Iterator[Finding]:
    """Every finding, topic by topic. The devices are asked last, as that starts JAX.

    Args:
      run_folder: where runs would be written.
    """
    yield from _python()
    yield from _packages()
    yield from _extras()
    yield from machine.folders(run_folder)
    yield from machine.git()
    yield from machine.devices()


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    fit = sys.version_info[:2] >= MINIMUM_PYTHON
    yield Finding(
        "python", "python", f"{version} at {sys.executable}", fit, "" if fit else "install Python 3.11 or newer"
    )
    inside = sys.prefix != sys.base_prefix
    fix = "" if inside else "python -m venv .venv && . .venv/bin/activate"
    yield Finding("python", "environment", sys.prefix if inside else "the system's own Python", inside, fix)
    yield Finding("python", "machine", f"{platform.system()} {platform.machine()}, {_cores()} cores, {_memory()}")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told on Windows and macOS
        return "memory unknown"
    return f"{size / 2**30:.1f} GiB"


def _packages() -> Iterator[Finding]:
    import framework

    yield Finding("packages", "framework", f"{_version('framework') or 'not installed'} at {_home(framework.__file__)}")
    for name, requirement in REQUIRED.items():
        version = _version(name)
        fit = version is not None and _satisfies(version, requirement)
        yield Finding("packages", name, version or "missing", fit, "" if fit else f"pip install '{requirement}'")


def _extras() -> Iterator[Finding]:
    for extra, (package, purpose) in EXTRAS.items():
        version = _version(package)
        value = f"{package} {version}" if version else f"{package} missing: no {purpose}"
        yield Finding(
            "extras", extra, value, version is not None, "" if version else f"pip install 'framework[{extra}]'"
        )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _home(file: str | None) -> str:
    return str(Path(file).parent) if file else "an unknown place"


def _satisfies(version: str, requirement: str) -> bool:
    from packaging.requirements import Requirement

    return Requirement(requirement).specifier.contains(version, prereleases=True)
