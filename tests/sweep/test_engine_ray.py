"""Groups of a sweep as tasks of Ray, on a cluster of two workers of this machine."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from directing import log
from engine_directors import RECIPE, WIDTHS, Once, letters, run_sweep, same, same_population

from framework.core.errors import Interrupted
from framework.sweep.directors import Watcher
from framework.sweep.ledger import Ledger
from framework.sweep.members import Verdict

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="ray is not installed (pip install 'framework[ray]')"
    ),
    # Ray leaves its own files and sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of this machine with room for two workers, which sweeps of this process use."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    import ray

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_two_workers_find_what_one_process_finds_although_one_is_killed(cluster: None, tmp_path: Path) -> None:
    here = run_sweep(tmp_path / "here", "vectorized", WIDTHS, "seed=range(2)")
    kill = Once(tmp_path / "there", 4, lambda pid: os.kill(pid, signal.SIGKILL))
    there = run_sweep(tmp_path / "there", "ray", WIDTHS, "seed=range(2)", "sweep.retries=1", directors=(kill,))
    for one, other in zip(here.rows, there.rows, strict=True):
        same(one, other)
    assert {row.number: row.attempts for row in there.rows} == {
        number: 2 if number in kill.members else 1 for number in range(4)
    }
    for number in kill.members:
        assert f"its worker was lost: process {kill.pid} on " in (tmp_path / "there" / f"{number}/log.txt").read_text()
    assert len(letters(tmp_path / "there")) == 4, "the two members of the lost worker have one each"


def test_a_population_changes_in_a_worker_as_it_does_here(cluster: None, tmp_path: Path) -> None:
    same_population(tmp_path, "ray")


def test_a_scheduler_of_ray_tune_ends_trials_in_the_workers(cluster: None, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="Ray Tune is not installed (pip install 'framework[ray]')")
    scheduler = "hydra.launcher.scheduler={type:asha,grace_period:1,reduction_factor:2}"
    found = run_sweep(tmp_path / "there", "ray", "optimizer.learning_rate=0.1,0.01,1e-6,1e-7", scheduler)
    ends = [row.status for row in found.rows]
    assert ends.count("pruned") >= 1
    assert found.best is not None
    assert found.best.status == "done"
    for row in found.rows:
        if row.status == "pruned":
            assert row.error.startswith("Ray Tune's asha ended it after ")


class StopsAtFour(Watcher):
    """Behaves as a driver that hears Ctrl-C while a worker waits for a verdict."""

    signal: str | None = None

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        self.signal = "SIGINT" if step == 4 else None
        return {}

    def stop_requested(self) -> str | None:
        return self.signal


def test_an_interrupted_sweep_has_saved_its_members_and_goes_on(cluster: None, tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as caught:
        run_sweep(tmp_path / "there", "ray", "seed=0,1", "hydra.launcher.max_workers=1", directors=(StopsAtFour(),))
    assert caught.value.exit_code == 130
    assert [row.status for row in Ledger(tmp_path / "there" / "ledger.sqlite").trials()] == ["queued"] * 2
    assert [record["step"] for record in log(tmp_path / "there" / "0") if record["split"] == "valid"] == [2, 4]
    found = run_sweep(tmp_path / "there", "ray", "seed=0,1", "hydra.launcher.max_workers=1")
    assert [(row.status, row.attempts) for row in found.rows] == [("done", 2)] * 2
    assert [record["step"] for record in log(tmp_path / "there" / "0") if record["split"] == "valid"] == [2, 4, 6, 8]


def test_without_a_cluster_the_command_starts_one_and_ends_it(tmp_path: Path) -> None:
    words = ("sweep", RECIPE, "seed=0,1", "hydra/launcher=ray", f"hydra.sweep.dir={tmp_path / 'there'}")
    command = [sys.executable, "-m", "framework", *words, "hydra.launcher.max_workers=1"]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ray: 2 trials in 1 units, 1 at a time" in done.stdout


def test_an_address_where_nobody_answers_is_told_of(tmp_path: Path) -> None:
    words = ("sweep", RECIPE, "seed=0,1", "hydra/launcher=ray", f"hydra.sweep.dir={tmp_path / 'there'}")
    command = [sys.executable, "-m", "framework", *words, "hydra.launcher.address=127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("hydra.launcher.address: no cluster answers at '127.0.0.1:1'")
