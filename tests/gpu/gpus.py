"""Which GPUs JAX finds, told by a process of its own, because JAX takes a GPU's memory as it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

_ASK = """
import json, jax
devices = jax.devices()
print(json.dumps([jax.__version__, [(one.platform, one.device_kind) for one in devices]]))
"""


@dataclass(frozen=True)
class Found:
    """What was looked for and found.

    Attributes:
      names: of the GPUs.
      told: what JAX found, or why it found nothing.
    """

    names: tuple[str, ...]
    told: str


def find(python: str = sys.executable) -> Found:
    """The GPUs that JAX of an interpreter finds."""
    done = subprocess.run(
        [python, "-c", _ASK], env=environment(), capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return Found((), f"{python}: {reason}")
    version, devices = json.loads(done.stdout.splitlines()[-1])
    names = tuple(kind for platform, kind in devices if platform == "gpu")
    kinds = ", ".join(dict.fromkeys(f"{kind} ({platform})" for platform, kind in devices))
    return Found(names, f"JAX {version} of {python} finds {kinds}")


def environment() -> dict[str, str]:
    """For JAX to choose the platform, share a GPU's memory with other processes, and multiply float32 as float32.

    Without the last, a GPU rounds factors to 10 bits (TF32), and a layout differs from another in the fourth digit.
    """
    return os.environ | {
        "JAX_PLATFORMS": "",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "JAX_DEFAULT_MATMUL_PRECISION": "highest",
    }
