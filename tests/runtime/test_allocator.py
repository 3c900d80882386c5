"""Memory that a step frees stays mapped for the next one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from framework.config.compose import load
from framework.core.errors import ConfigError
from framework.runtime.allocator import keep_memory
from framework.train.setup import Setup

FAULTS = """
import resource
from framework.runtime.allocator import keep_memory
print(keep_memory())
import numpy as np
def step():
    return float(np.ones(4 << 20, np.float64)[0])  # 32 MiB, 8,192 pages
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(**variables: str) -> tuple[str, int]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", FAULTS]
    done = subprocess.run(command, env=env | variables, capture_output=True, text=True, check=True, timeout=60)
    said, count = done.stdout.split()
    return said, int(count)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator is a matter of Linux")
def test_freed_memory_is_used_again_without_a_page_fault() -> None:
    said, with_kept = faults()
    assert said == "True"
    said, without = faults(FW_ALLOCATOR="system")
    assert said == "False"
    assert with_kept < without / 4


def test_the_users_own_settings_of_the_c_library_stand() -> None:
    assert faults(MALLOC_ARENA_MAX="2")[0] == "False"


def test_an_unknown_word_for_the_allocator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FW_ALLOCATOR", "tcmalloc")
    with pytest.raises(ConfigError, match=r"FW_ALLOCATOR: unknown value 'tcmalloc'\n.*keep, system, or nothing"):
        keep_memory.__wrapped__()


def test_a_lean_recipe_leaves_the_allocator_as_it_is() -> None:
    keep_memory.cache_clear()
    Setup(load("digits_mlp", ["trainer.memory=lean"]))
    assert keep_memory.cache_info().misses == 1
    assert keep_memory(lean=True) is False
    assert keep_memory.cache_info().misses == 1
    Setup(load("digits_mlp"))
    assert keep_memory.cache_info().misses == 2


def test_keeping_memory_may_be_asked_for_a_lean_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keep_memory.__wrapped__(lean=True) is False
    monkeypatch.setenv("FW_ALLOCATOR", "keep")
    assert keep_memory.__wrapped__(lean=True) is keep_memory.__wrapped__()
