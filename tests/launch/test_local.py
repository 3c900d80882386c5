"""Processes on this machine, with tiny programs in place of a run: who is told what, who is ended when."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from framework.core.errors import ConfigError
from framework.launch.devices import devices_of_each, variables, visible_gpus
from framework.launch.local import Group

# `fw launch` never loads JAX, so it may fork; the process of the tests may have loaded it, and JAX warns of every fork.
pytestmark = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")

HEAD = "import os, signal, sys, time\nrank = int(os.environ.get('JAX_PROCESS_ID', 0))\n"
FOR_EVER = "time.sleep(600)\n"


def start(
    program: str, processes: int, *, notice_s: float = 5.0, restarts: int = 0, before: Callable[[], None] | None = None
) -> tuple[int, str, str]:
    """The exit code of a group of processes, what ranks other than 0 printed, and what was said on standard error."""
    out, err = io.StringIO(), io.StringIO()
    group = Group(
        [sys.executable, "-c", HEAD + program],
        processes,
        variables=lambda rank: {"RANK": str(rank)},
        notice_s=notice_s,
        restarts=restarts,
        out=out,
        err=err,
    )
    if before is not None:
        before()
    return group.run(), out.getvalue(), err.getvalue()


def test_each_process_is_told_where_all_meet_and_which_it_is(tmp_path: Path) -> None:
    program = f"""
names = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID", "RANK")
open(f"{tmp_path}/{{rank}}", "w").write(" ".join(os.environ[name] for name in names))
"""
    assert start(program, 3)[0] == 0
    told = [(tmp_path / str(rank)).read_text().split() for rank in range(3)]
    assert [words[1:] for words in told] == [["3", "0", "0"], ["3", "1", "1"], ["3", "2", "2"]]
    (address,) = {words[0] for words in told}
    host, _, port = address.partition(":")
    assert host == "127.0.0.1"
    assert 1024 <= int(port) < 2**16


def test_one_process_is_told_of_no_others() -> None:
    assert start("sys.exit('JAX_NUM_PROCESSES' in os.environ)", 1)[0] == 0


def test_the_others_print_with_their_rank_and_the_first_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    program = "print('to be seen'); print('to be heard', file=sys.stderr); print('last', end='')"
    code, out, err = start(program, 2)
    assert (code, out, err) == (0, "[rank 1] to be seen\n[rank 1] last\n", "[rank 1] to be heard\n")
    assert capfd.readouterr() == ("to be seen\nlast", "to be heard\n")


def test_the_exit_code_is_that_of_the_first_to_fail_and_the_others_have_time_to_end() -> None:
    code, _, err = start("time.sleep(1.5 * (2 - rank)); sys.exit(5 + rank)", 3)
    assert code == 7
    assert err.splitlines() == [
        "fw launch: rank 2 ended with exit code 7, the first of 3",
        "fw launch:   then rank 1 ended with exit code 6",
        "fw launch:   then rank 0 ended with exit code 5",
    ]


def test_one_that_ends_well_leaves_the_others_alone() -> None:
    assert start("time.sleep(0.5 if rank == 0 else 0)", 2, notice_s=0.1)[0] == 0


def test_when_one_is_killed_the_others_are_ended_after_their_notice() -> None:
    program = "os.kill(os.getpid(), signal.SIGKILL) if rank else None\n" + FOR_EVER
    code, _, err = start(program, 2, notice_s=0.2)
    assert code == 137
    assert err.splitlines() == [
        "fw launch: rank 1 was ended by SIGKILL, the first of 2",
        "fw launch:   then rank 0 was ended by SIGTERM by the launcher, as it did not end by itself",
    ]


def test_one_that_does_not_heed_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.launch.local.KILL_S", 0.3)
    program = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(0.5 * rank)\nsys.exit(3) if rank else None\n"
    code, _, err = start(program + FOR_EVER, 2, notice_s=0.2)
    assert code == 3
    assert "then rank 0 was ended by SIGKILL by the launcher" in err


def test_whoever_lost_another_is_told_after_it() -> None:
    code, _, err = start("sys.exit(75 if rank == 0 else 1)", 2)
    assert (code, err.splitlines()[0]) == (1, "fw launch: rank 1 ended with exit code 1, the first of 2")


COUNTING = """
path = {path!r}
if rank == 1:
    sys.exit(0)
attempt = open(path).read() if os.path.exists(path) else ""
open(path, "w").write(attempt + "x")
sys.exit({code} if len(attempt) < {failures} else 0)
"""


@pytest.mark.parametrize(
    ("code", "failures", "restarts", "ends_with", "attempts"),
    [(75, 2, 2, 0, 3), (137, 9, 2, 137, 3), (75, 1, 0, 75, 1), (2, 1, 5, 2, 1), (1, 1, 5, 1, 1)],
    ids=["succeeds at last", "fails for good", "not allowed", "a mistake is not tried again", "nor is a defect"],
)
def test_a_job_is_started_again_after_a_loss(
    code: int, failures: int, restarts: int, ends_with: int, attempts: int, tmp_path: Path
) -> None:
    path = tmp_path / "attempts"
    program = COUNTING.format(path=str(path), code=code, failures=failures)
    ended, _, err = start(program, 2, restarts=restarts)
    assert ended == ends_with
    assert path.read_text() == "x" * attempts
    assert err.count("starting again in the same run directory") == attempts - 1


def test_each_attempt_meets_at_a_place_of_its_own(tmp_path: Path) -> None:
    program = f"""
with open("{tmp_path}/places", "a") as file:
    file.write(os.environ["JAX_COORDINATOR_ADDRESS"] + "\\n")
sys.exit(75)
"""
    start(program, 2, restarts=1)
    places = (tmp_path / "places").read_text().split()
    assert [places.count(place) for place in dict.fromkeys(places)] == [2, 2]


SAVING = """
def stop(number, frame):
    print("saved", flush=True)
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
open(f"{folder}/{{rank}}", "w").close()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_every_process_once_and_nothing_starts_again(number: signal.Signals, tmp_path: Path) -> None:
    def ask() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        os.kill(os.getpid(), number)

    former = signal.getsignal(number)
    asking = threading.Thread(target=ask)
    code, out, err = start(SAVING.format(folder=tmp_path) + FOR_EVER, 2, restarts=3, before=asking.start)
    asking.join()
    assert (code, out) == (128 + number, "[rank 1] saved\n")
    assert "starting again" not in err
    assert signal.getsignal(number) is former


LAUNCHER = """
import sys
from framework.launch.local import Group
Group([sys.executable, "-c", {program!r}], 2, variables=lambda rank: {{}}, notice_s=5, restarts=0,
      out=sys.stdout, err=sys.stderr).run()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process that its parent is gone")
def test_no_process_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    program = HEAD + f"open(f'{tmp_path}/{{os.getpid()}}', 'w').close()\n" + FOR_EVER
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER.format(program=program)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.05)
    launcher.kill()
    launcher.wait()
    numbers = [path.name for path in tmp_path.iterdir()]
    for _ in range(200):
        if not any(_lives(number) for number in numbers):
            return
        time.sleep(0.05)
    pytest.fail("a process is still there")


def _lives(number: str) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False


# Devices


def test_on_the_cpu_devices_are_made_by_a_flag_that_replaces_the_one_before() -> None:
    environment = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--a=1 --xla_force_host_platform_device_count=8"}
    flags = variables(2, 4, environment)(1)["XLA_FLAGS"]
    assert flags == "--a=1 --xla_force_host_platform_device_count=4"
    assert variables(2, None, environment)(0)["XLA_FLAGS"] == environment["XLA_FLAGS"]
    assert variables(2, None, {"JAX_PLATFORMS": "cpu"})(0) == {}
    assert [devices_of_each(2, None, environment), devices_of_each(2, 3, environment)] == [8, 3]
    assert devices_of_each(2, None, {"JAX_PLATFORMS": "cpu"}) == 1


def test_gpus_are_shared_evenly() -> None:
    environment = {"CUDA_VISIBLE_DEVICES": "4,5,6,7"}
    shares = variables(2, None, environment)
    assert [shares(0), shares(1)] == [{"CUDA_VISIBLE_DEVICES": "4,5"}, {"CUDA_VISIBLE_DEVICES": "6,7"}]
    assert variables(2, 1, environment)(1) == {"CUDA_VISIBLE_DEVICES": "5"}
    assert variables(1, None, environment)(0) == {}
    assert devices_of_each(2, None, environment) == 2


def test_gpus_that_are_too_few_are_told() -> None:
    with pytest.raises(ConfigError, match="--local: 3 processes, but 2 GPUs are visible") as caught:
        variables(3, None, {"CUDA_VISIBLE_DEVICES": "0,1"})
    assert "fix:       --local 2, or JAX_PLATFORMS=cpu" in str(caught.value)


def test_gpus_are_found_by_their_device_files_unless_jax_is_told_the_cpu(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert visible_gpus({}, tmp_path) == ["0", "2", "10"]
    assert visible_gpus({"JAX_PLATFORMS": "cpu"}, tmp_path) == []
    assert visible_gpus({"JAX_PLATFORMS": "cuda,cpu"}, tmp_path) == ["0", "2", "10"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == []
