"""Set up for all tests: the CPU, and one compilation cache that the tests and the commands they start share."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache" / "jax"

# These are environment variables so that subprocesses inherit them, and they are set before any test imports JAX.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
# Small programs cost more to look up than to compile, so only those of a fifth of a second and more are kept.
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
# What is tested is what programs compute and not how fast, and most of the time goes into compiling them.
FLAGS = "--xla_backend_optimization_level=0"
if version("jaxlib").startswith("0.10."):  # later ones cannot do without
    FLAGS += " --xla_cpu_use_fusion_emitters=false"
os.environ.setdefault("XLA_FLAGS", FLAGS)


def pytest_sessionstart() -> None:
    """Remove entries that a killed process left empty: JAX would neither read nor overwrite them."""
    for entry in CACHE.glob("*-cache"):
        if entry.stat().st_size == 0:
            entry.unlink(missing_ok=True)
