"""Decoding processes give the pixels that the program itself decodes, in order, and end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section, told, write_images

import framework.data as data
from framework.core.errors import DataError
from framework.data.decoding.pool import DecodingPool

USER = """
import sys
from pathlib import Path
from framework.data.decoding.pool import DecodingPool

pool = DecodingPool(2, (4, 4), "rgb", "stretch")
files = sorted(Path(sys.argv[1]).rglob("*.png"))
assert len(pool.decode(files)) == len(files)
print(*[worker.pid for worker in pool._workers], flush=True)
{ending}
"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_images(tmp_path / "pets")


@pytest.fixture
def pool() -> Any:
    made = DecodingPool(2, (5, 3), "rgb", "stretch")
    yield made
    made.close()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def settled(pids: list[int]) -> bool:
    """Whether all of them end within half a minute."""
    for _ in range(300):
        if not any(map(alive, pids)):
            return True
        time.sleep(0.1)
    return False


def test_processes_give_the_same_batches_with_and_without_a_cache(pictures: Path) -> None:
    made = {"path": str(pictures), "classes": 2, "size": 5}
    alone = data.load(section("images", **made)).arrays("train")
    for cache in (0, 64):
        dataset = data.load(section("images", **made, workers=2, cache_mib=cache))
        for _ in range(2):
            for name, array in dataset.arrays("train").items():
                assert array.tobytes() == alone[name].tobytes()


def test_the_first_unreadable_file_is_told_and_the_processes_go_on(pictures: Path, pool: DecodingPool) -> None:
    files = sorted(pictures.rglob("*.png"))
    for index in (5, 9):
        files[index].write_bytes(b"no image")
    with pytest.raises(DataError, match=told(f"'{files[5]}' cannot be read as an image", "mend or remove the file")):
        pool.decode(files)
    good = [file for index, file in enumerate(files) if index not in (5, 9)]
    assert [picture.shape for picture in pool.decode(good)] == [(5, 3, 3)] * len(good)
    assert pool.decode([]) == []


def test_a_name_that_is_no_text_is_passed_on(pictures: Path, pool: DecodingPool) -> None:
    strange = Path(os.fsdecode(os.fsencode(pictures) + b"/\xff\n.png"))
    strange.write_bytes((pictures / "cat" / "0.png").read_bytes())
    assert np.array_equal(pool.decode([strange])[0], pool.decode([pictures / "cat" / "0.png"])[0])


def test_a_process_that_is_killed_is_told_and_nothing_waits_for_it(pictures: Path, pool: DecodingPool) -> None:
    files = sorted(pictures.rglob("*.png"))
    pool.decode(files)
    for worker in pool._workers:
        os.kill(worker.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(
            DataError, match=told("a decoding process ended by signal 9 while it read", "data.workers=0")
        ):
            pool.decode(files)


def test_closing_ends_the_processes(pictures: Path) -> None:
    pool = DecodingPool(1, None, "grey", "stretch")
    pool.decode(sorted(pictures.rglob("*.png"))[:1])
    pids = [worker.pid for worker in pool._workers]
    assert all(map(alive, pids))
    pool.close()
    assert not any(map(alive, pids))


@pytest.mark.parametrize(
    "ending", ["", "raise SystemExit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_processes_end_with_the_program_however_it_ends(pictures: Path, ending: str) -> None:
    # The script has no `if __name__ == "__main__"`: the processes must not run it again.
    done = subprocess.run(
        [sys.executable, "-c", USER.format(ending=ending), str(pictures)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2 and settled(pids)


def test_signals_that_stop_a_program_leave_its_processes_decoding(pictures: Path, pool: DecodingPool) -> None:
    files = sorted(pictures.rglob("*.png"))
    pool.decode(files)
    for worker in pool._workers:
        os.kill(worker.pid, signal.SIGINT)
        os.kill(worker.pid, signal.SIGTERM)
    assert len(pool.decode(files)) == len(files)


def test_a_process_loads_no_jax() -> None:
    code = "import sys, framework.data.decoding.worker; print(sorted({'jax', 'hydra', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
