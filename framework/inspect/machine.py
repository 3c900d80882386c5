"""What a machine offers a run: folders and disk, git, devices."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from framework.runtime.folder import cache_folder, usable

LOW_DISK_GIB = 2.0


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


def folders(run_folder: Path) -> Iterator[Finding]:
    """The folder for runs, the disk, and the cache of compiled programs."""
    parent = _first_existing(run_folder.absolute())
    writable = _can_write(parent)
    fix = "" if writable else "run.dir=PATH with a folder you may write to"
    yield Finding("folders", "runs", f"{run_folder}{'' if run_folder.is_dir() else ' (not made yet)'}", writable, fix)
    free = shutil.disk_usage(parent).free / 2**30
    roomy = free >= LOW_DISK_GIB
    yield Finding(
        "folders", "free disk", f"{free:.1f} GiB", roomy, "" if roomy else "free space, or run.dir=PATH elsewhere"
    )
    yield _programs()


def _programs() -> Finding:
    of_jax = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if of_jax:
        return Finding("folders", "compiled programs", f"{of_jax} ({_size(Path(of_jax))}), by JAX itself")
    folder = cache_folder()
    if folder is None:
        return Finding("folders", "compiled programs", "not kept: FW_CACHE=off")
    if usable(folder):
        return Finding("folders", "compiled programs", f"{folder} ({_size(folder)})")
    fix = "FW_CACHE=FOLDER with a folder of your own"
    return Finding("folders", "compiled programs", f"not kept: {folder} is not yours to write", False, fix)


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


def git() -> Iterator[Finding]:
    """Whether a run can note the revision of the code around it."""
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


def devices() -> Iterator[Finding]:
    """What JAX computes on, and the environment that chooses it."""
    for name in ("JAX_PLATFORMS", "XLA_FLAGS", "CUDA_VISIBLE_DEVICES"):
        if name in os.environ:
            yield Finding("devices", name, os.environ[name] or "(empty)")
    try:
        import jax

        found = jax.devices()
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
        f"{platform_name}, {len(found)} device{'s' * (len(found) > 1)}{remark}",
        not idle_gpu,
        fix,
    )
    for device in found:
        yield Finding("devices", f"device {device.id}", f"{device.device_kind}{_device_memory(device.memory_stats)}")


def _device_memory(stats: Callable[[], dict[str, int] | None]) -> str:
    known = stats() or {}
    limit = known.get("bytes_limit")
    return f", {limit / 2**30:.1f} GiB" if limit else ""
