"""Memory that a step frees stays mapped for the next one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
