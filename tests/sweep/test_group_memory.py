"""A group that does not fit the memory, and one that breaks on its way: every member has one ending."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from directing import Recorder, make_members

from framework.core.errors import Interrupted
from framework.sweep.vectorized import run_group

HERE = Path(__file__).parent
RECIPE = str(HERE / "recipes" / "small_mlp.yaml")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the address space is measured in /proc")
def test_where_memory_runs_out_half_as_many_go_on_and_one_too_large_is_told_of(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "short_of_memory.py"), str(tmp_path)]
    # Each thread's own arena would take address space that no array could have, and so would the cache's entries.
    alone = {"MALLOC_ARENA_MAX": "1", "JAX_ENABLE_COMPILATION_CACHE": "false"}
    done = subprocess.run(command, env={**os.environ, **alone}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    many, one = json.loads(done.stdout)
    # How many are left depends on where memory ends: at the first step, or when some have already been written.
    parts = [
        re.fullmatch(r"(\d+) trials do not fit the memory together; going on with (\d+) at a time", line)
        for line in many["told"]
    ]
    assert parts and all(part and int(part[2]) == -(-int(part[1]) // 2) <= 16 for part in parts)
    assert many["ends"] == [[number, "done", ""] for number in range(32)]
    assert many["begun"] == list(range(32)), "a member that is taken up again begins once"
    ((number, status, error),) = one["ends"]
    assert (number, status) == (0, "out_of_memory")
    assert "Out of memory allocating 2116000000 bytes" in error


def test_what_breaks_in_a_later_part_leaves_those_that_ended(tmp_path: Path) -> None:
    members = make_members(tmp_path, RECIPE, ["run.stages=[train,predict]"], [["seed=0"], ["seed=1"], ["seed=2"]])
    asked = iter([None, None, "SIGTERM"])
    with pytest.raises(Interrupted):
        run_group(members[:2], Recorder(stop=lambda: next(asked)))
    # The third begins at step 0, before the two that go on from where they were; one of these cannot be finished.
    (members[0].path / "predictions").write_text("in the way", encoding="utf-8")
    found = Recorder()  # sees to it that nobody ends twice
    run_group(members, found)
    assert [found.endings[number].status for number in range(3)] == ["failed", "failed", "done"]
    assert "FileExistsError" in found.endings[0].error
    assert found.begun == [2, 0, 1]
