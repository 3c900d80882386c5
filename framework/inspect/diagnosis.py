"""Is this machine fit for a run: versions, devices, caches, folders; each finding with what to do where it is not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

MINIMUM_PYTHON = (3, 11)
LOW_DISK_GIB = 2.0

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


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
      topic: the heading it stands under.
      name: what was looked at.
      value: what was found.
      ok: whether it is as it should be.
      fix: what to type where it is not.
    """

    topic: str
    name: str
    value: str
    ok: bool = True
    fix: str = ""


def diagnose(run_folder: Path = Path("runs")) -> Iterator[Finding]:
    """Every finding, topic by topic. The devices are asked last, as that starts JAX.

    Args:
      run_folder: where runs would be written.
    """
    yield from _python()
    yield from _packages()
    yield from _extras()
    yield from _folders(run_folder)
    yield from _git()
    yield from _devices()


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


def _folders(run_folder: Path) -> Iterator[Finding]:
    parent = _first_existing(run_folder.absolute())
    writable = _can_write(parent)
    fix = "" if writable else "run.dir=PATH with a folder you may write to"
    yield Finding("folders", "runs", f"{run_folder}{'' if run_folder.is_dir() else ' (not made yet)'}", writable, fix)
    free = shutil.disk_usage(parent).free / 2**30
    roomy = free >= LOW_DISK_GIB
    yield Finding(
        "folders", "free disk", f"{free:.1f} GiB", roomy, "" if roomy else "free space, or run.dir=PATH elsewhere"
    )
    cache = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if cache:
        yield Finding("folders", "compilation cache", f"{cache} ({_size(Path(cache))})")
    else:
        yield Finding("folders", "compilation cache", "off; JAX_COMPILATION_CACHE_DIR=DIR keeps compiled programs")


def _first_existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _can_write(folder: Path) -> bool:
    # os.access says yes to root on a read-only mount, so a file is really made.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _size(folder: Path) -> str:
    files = [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
    return f"{len(files)} files, {sum(file.stat().st_size for file in files) / 2**20:.1f} MiB"


def _git() -> Iterator[Finding]:
    if shutil.which("git") is None:
        yield Finding("git", "git", "missing: runs will not note their revision", False, "install git")
        return
    revision = _output("git", "rev-parse", "--short", "HEAD")
    if revision is None:
        yield Finding(
            "git", "repository", "none here: runs will not note their revision", False, "git init && git add -A"
        )
        return
    changed = len((_output("git", "status", "--porcelain") or "").splitlines())
    state = f"{changed} uncommitted changes" if changed else "clean"
    yield Finding("git", "repository", f"at {revision}, {state}")


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip()


def _devices() -> Iterator[Finding]:
    for name in ("JAX_PLATFORMS", "XLA_FLAGS", "CUDA_VISIBLE_DEVICES"):
        if name in os.environ:
            yield Finding("devices", name, os.environ[name] or "(empty)")
    try:
        import jax

        devices = jax.devices()
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield Finding("devices", "jax", f"finds no device: {reason}", False, "JAX_PLATFORMS=cpu fw doctor")
        return
    platform_name = jax.default_backend()
    chosen = bool(os.environ.get("JAX_PLATFORMS"))
    idle_gpu = platform_name == "cpu" and not chosen and Path("/proc/driver/nvidia/version").exists()
    fix = "pip install 'jax[cuda12]', or JAX_PLATFORMS=cpu where the CPU is meant" if idle_gpu else ""
    remark = "; an NVIDIA driver is here, but JAX does not use it" if idle_gpu else ""
    yield Finding(
        "devices",
        "backend",
        f"{platform_name}, {len(devices)} device{'s' * (len(devices) > 1)}{remark}",
        not idle_gpu,
        fix,
    )
    for device in devices:
        yield Finding("devices", f"device {device.id}", f"{device.device_kind}{_device_memory(device.memory_stats)}")


def _device_memory(stats: Callable[[], dict[str, int] | None]) -> str:
    known = stats() or {}
    limit = known.get("bytes_limit")
    return f", {limit / 2**30:.1f} GiB" if limit else ""
