"""Starts a Python file in a process of its own with virtual CPU devices, which must be asked for before JAX starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent


def environment(devices: int) -> dict[str, str]:
    """The environment of a process with so many virtual CPU devices."""
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
    return {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}


def run_file(name: str, *words: str, devices: int = 8) -> str:
    """What `tests/parallel/<name>` prints; a failure shows its errors."""
    done = subprocess.run(
        [sys.executable, str(HERE / name), *words],
        env=environment(devices),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{name} {' '.join(words)} ended with {done.returncode}\n{done.stderr[-6000:]}"
    return done.stdout
