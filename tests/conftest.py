"""Set up for all tests: the CPU, and one compilation cache that the tests and the commands they start share."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path

import pytest

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
# Hundreds of commands are started: each reads the bytecode that the first has written, instead of compiling our sources
# anew (0.4 s of a command's 1.6 s).
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_sessionstart() -> None:
    """Remove entries that a killed process left empty: JAX would neither read nor overwrite them."""
    for entry in CACHE.glob("*-cache"):
        if entry.stat().st_size == 0:
            entry.unlink(missing_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are read, a tenth of that time: what they are made of stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
