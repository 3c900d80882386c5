"""Groups of a sweep as jobs of a real SLURM: the same numbers, and a preempted job goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from slurm_cluster import Cluster, missing

from framework.sweep.directors import Watcher
from framework.sweep.driver import sweep
from framework.sweep.members import Verdict
from framework.sweep.prepared import Request

pytestmark = pytest.mark.slurm
RECIPE = str(Path(__file__).parent.parent / "sweep" / "recipes" / "small_mlp.yaml")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    assert missing() == [], "needs SLURM and munge: apt-get install slurm-wlm munge"
    with Cluster() as running:
        yield running


class Preempts(Watcher):
    """Has SLURM send a job that waits for a verdict at step 4 the signal that comes before its node is taken."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.job = ""

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        if step == 4 and not self.job:
            self.job = self._cluster.ask("squeue", "--noheader", "--states=RUNNING", "--format=%i").split()[0]
            self._cluster.ask("scancel", "--signal=USR2", self.job)
        return {}


def test_groups_run_as_jobs_and_a_preempted_one_goes_on(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    axes = ("network.layers.hidden.dense.features=8,4", "seed=0,1")
    words = ("hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=5", "hydra.launcher.max_workers=2")
    preempts = Preempts(cluster)
    there = sweep(
        Request(RECIPE, (*axes, *words, "hydra.launcher.partition=tests", f"hydra.sweep.dir={tmp_path / 'there'}")),
        directors=(preempts,),
    )
    assert [(row.status, row.attempts) for row in there.rows] == [("done", 1)] * 4
    assert int(cluster.job(preempts.job)["Restarts"]) == 1
    here = sweep(Request(RECIPE, (*axes, f"hydra.sweep.dir={tmp_path / 'here'}")))
    for one, other in zip(here.rows, there.rows, strict=True):
        assert other.metrics == pytest.approx(one.metrics, rel=1e-5)
        steps = [json.loads(line)["step"] for line in (Path(other.path) / "metrics.jsonl").read_text().splitlines()]
        assert steps == [
            json.loads(line)["step"] for line in (Path(one.path) / "metrics.jsonl").read_text().splitlines()
        ]
