"""A sweep from the request to its result: real runs of a recipe that trains in a moment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sweeping_recipe import TINY

from framework.config.compose import load
from framework.core.errors import Interrupted, RunError
from framework.sweep.directors import Watcher
from framework.sweep.driver import Result, plan, sweep
from framework.sweep.ledger import Ledger
from framework.sweep.members import Ending, Stop, Verdict
from framework.sweep.objective import ranked
from framework.sweep.prepared import Request
from framework.train.stages import run

FOLDER = "sweep.dir=here"
BASIC = "hydra/launcher=basic"


class Notes(Watcher):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.ended_as: dict[int, str] = {}

    def started(self, numbers: Sequence[int]) -> None:
        self.begun += numbers

    def ended(self, number: int, ending: Ending) -> None:
        self.ended_as[number] = ending.status


def swept(recipe: str, *overrides: str, **others: Any) -> Result:
    stages = others.pop("stages", None)
    return sweep(Request(recipe, overrides, stages), **others)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recipe and a finished sweep over two seeds, `here`; not to be changed."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        swept("./tiny.yaml", "seed=0,1", BASIC, FOLDER)
    return folder


@pytest.fixture
def finished(once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The recipe in a copy of that folder, which is the working directory."""
    shutil.copytree(once, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return "./tiny.yaml"


PLUGINS = [["hydra/launcher=vectorized"], ["hydra/sweeper=basic"], ["hydra/launcher=basic", "hydra/sweeper=basic"]]


@pytest.mark.parametrize("plugins", PLUGINS, ids=" ".join)
def test_every_launcher_and_sweeper_gives_the_same_trials(tiny: str, plugins: list[str], once: Path) -> None:
    result = swept(tiny, "seed=0,1", *plugins, FOLDER)
    assert [(row.number, row.overrides, row.status) for row in result.rows] == [
        (0, ("seed=0",), "done"),
        (1, ("seed=1",), "done"),
    ]
    for row in result.rows:
        assert row.path == f"here/{row.number}"
        assert row.parameters == {"seed": row.number}
        assert row.traced == {"seed": True}
        alone = json.loads((once / "here" / str(row.number) / "result.json").read_text())
        assert row.metrics["test.loss"] == pytest.approx(alone["metrics"]["test"]["loss"], rel=1e-4)
        assert row.objective == (row.metrics["valid.loss"],)
        assert json.loads((Path(row.path) / "result.json").read_text())["metrics"]["test"]["loss"] == pytest.approx(
            row.metrics["test.loss"]
        )
        assert f"test.loss = {row.metrics['test.loss']!r}" in (Path(row.path) / "log.txt").read_text()


def test_a_member_resumes_as_an_ordinary_run(finished: str) -> None:
    result = swept(finished, "seed=0,1", BASIC, FOLDER)
    best = result.best
    assert best is not None
    again = run(load(finished, [*result.overrides(best), f"run.dir={best.path}"]))
    assert again.skipped == ("train", "evaluate")


def test_the_best_is_best_in_the_objectives_direction(tiny: str) -> None:
    result = swept(tiny, "optimizer.learning_rate=0.0,0.1", FOLDER)
    assert result.best is not None
    assert [row.number for row in result.ranked] == [1, 0]
    most = result.section.model_copy(update={"direction": "maximize"})
    assert [row.number for row in ranked(result.rows, most)] == [0, 1]


def test_a_finished_sweep_is_not_run_again_and_may_be_extended(finished: str) -> None:
    before = {path: path.read_bytes() for path in Path("here").glob("*/metrics.jsonl")}
    notes = Notes()
    assert len(swept(finished, "seed=0,1", BASIC, FOLDER, directors=[notes]).rows) == 2
    assert notes.begun == []
    more = swept(finished, "seed=range(3)", BASIC, FOLDER, directors=[notes])
    assert notes.begun == [2]
    assert [row.overrides for row in more.rows] == [("seed=0",), ("seed=1",), ("seed=2",)]
    assert {path: path.read_bytes() for path in before} == before


CHANGES = {
    "a setting": (["seed=0,1", "trainer.steps=6"], "trainer.steps: 4 -> 6"),
    "a smaller grid": (["seed=0,2"], "axes.seed.values: '0,1' -> '0,2'"),
    "another axis": (["optimizer.b1=0.5,0.6"], "axes.seed.values: '0,1' -> (not set)"),
    "another objective": (["seed=0,1", "sweep.objective=test.loss"], 'objective: ["valid.loss"] -> ["test.loss"]'),
    "another option": (["seed=0,1", "optimizer=adam"], "optimizer.type: 'adamw' -> 'adam'"),
    "another sampler": (["seed=0,1", "sweep=random", "sweep.trials=2"], 'sampler: "grid" -> "random"'),
}


def test_another_sweep_is_refused_with_the_difference(finished: str) -> None:
    for case, (overrides, line) in CHANGES.items():
        with pytest.raises(RunError, match="here: holds another sweep") as caught:
            swept(finished, *overrides, BASIC, FOLDER)
        assert f"  {line}" in str(caught.value).splitlines(), case
    assert len(swept(finished, "seed=0,1", FOLDER, BASIC, "report.figures=true", "sweep.retries=2").rows) == 2


class Failing(Watcher):
    """Raises in the middle of a trial's training."""

    def __init__(self, number: int) -> None:
        self.number = number

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        if number == self.number:
            raise ValueError("the disk is on fire")


def test_a_failing_trial_keeps_no_other_from_running(tiny: str) -> None:
    said: list[str] = []
    result = swept(tiny, "seed=0,1", BASIC, FOLDER, directors=[Failing(0)], tell=said.append)
    assert [row.status for row in result.rows] == ["failed", "done"]
    assert result.rows[0].error == "the disk is on fire"
    assert said == ["trial 0: failed: the disk is on fire (here/0/log.txt)"]
    log = Path("here/0/log.txt").read_text()
    assert "Traceback (most recent call last):" in log
    assert "ValueError: the disk is on fire" in log
    assert [row.number for row in result.failed] == [0]


def put_in_the_way(*numbers: int) -> None:
    """Files that keep runs from beginning."""
    for number in numbers:
        Path(f"here/{number}").mkdir(parents=True)
        Path(f"here/{number}/mine.txt").write_text("a file of somebody's")


class Mending(Watcher):
    """Takes the file out of a trial's way once it has failed."""

    def ended(self, number: int, ending: Ending) -> None:
        if ending.status == "failed":
            Path(f"here/{number}/mine.txt").unlink()


def test_fail_fast_ends_the_sweep_with_the_first_failure(tiny: str) -> None:
    put_in_the_way(0, 1)
    overrides = ("seed=0,1", BASIC, FOLDER, "sweep.fail_fast=true")
    result = swept(tiny, *overrides)
    assert [row.status for row in result.rows] == ["failed", "queued"]
    assert result.stopped
    assert [row.status for row in swept(tiny, *overrides).rows] == ["failed", "failed"]


def test_a_retry_may_mend_a_trial(tiny: str) -> None:
    put_in_the_way(0)
    axes = ("seed=range(1)", BASIC, FOLDER)
    given_up = swept(tiny, *axes, "sweep.retries=1")
    assert [(row.status, row.attempts) for row in given_up.rows] == [("failed", 2)]
    mended = swept(tiny, *axes, "sweep.retries=3", directors=[Mending()])
    assert [(row.status, row.attempts) for row in mended.rows] == [("done", 4)]


def test_a_loss_that_becomes_nan_is_no_failure(tiny: str) -> None:
    result = swept(tiny, "optimizer.learning_rate=1e30,0.1", "optimizer=sgd", FOLDER)
    assert [row.status for row in result.rows] == ["non_finite", "done"]
    assert "became" in result.rows[0].error
    assert result.failed == []
    assert result.best is not None
    assert result.best.number == 1


class Pruning(Watcher):
    """Ends a trial at its first validation."""

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        return {number: Stop("not good enough") for number in values if number == 1}


def test_a_director_may_end_a_trial(tiny: str) -> None:
    result = swept(tiny, "seed=0,1", BASIC, FOLDER, directors=[Pruning()])
    assert [row.status for row in result.rows] == ["done", "pruned"]
    assert result.rows[1].error == "not good enough"
    steps = [json.loads(line)["step"] for line in Path("here/1/metrics.jsonl").read_text().splitlines()]
    assert max(steps) == 2


class Stopping(Watcher):
    """A signal arrives once a trial is over."""

    def __init__(self) -> None:
        self.over = False

    def ended(self, number: int, ending: Ending) -> None:
        self.over = True

    def stop_requested(self) -> str | None:
        return "SIGTERM" if self.over else None


@pytest.mark.parametrize("launcher", [BASIC, "hydra/launcher=vectorized"])
def test_a_signal_ends_the_sweep_and_the_same_command_goes_on(tiny: str, launcher: str) -> None:
    axes = ("network.args.width=4,8", launcher, FOLDER)
    with pytest.raises(Interrupted, match=r"the same command with sweep.dir=here goes on") as caught:
        swept(tiny, *axes, directors=[Stopping()])
    assert caught.value.exit_code == 128 + 15
    assert [row.status for row in Ledger(Path("here/ledger.sqlite")).trials()] == ["done", "queued"]
    notes = Notes()
    assert [row.status for row in swept(tiny, *axes, directors=[notes]).rows] == ["done", "done"]
    assert notes.ended_as == {1: "done"}


def test_draws_are_extended_by_more_trials(tiny: str) -> None:
    axes = ("optimizer.learning_rate=log(interval(1e-3,1e-1))", "sweep=random", BASIC, FOLDER)
    first = swept(tiny, *axes, "sweep.trials=1")
    more = swept(tiny, *axes, "sweep.trials=2", "sweep.batch=1")
    assert more.rows[0].overrides == first.rows[0].overrides
    assert [row.status for row in more.rows] == ["done"] * 2
    assert len({row.overrides for row in more.rows}) == 2


def test_stages_are_those_of_the_command(tiny: str) -> None:
    result = swept(tiny, "seed=range(1)", BASIC, FOLDER, stages=("train",))
    assert {name.partition(".")[0] for name in result.rows[0].metrics} >= {"valid"}
    assert not any(name.startswith("test.") for name in result.rows[0].metrics)
    assert list(json.loads(Path("here/0/stages.json").read_text())) == ["train"]


def test_a_jobs_number_names_its_folder(tiny: str) -> None:
    own = planned(tiny, "run.dir='out/${hydra:job.num}'")
    assert own == ["out/0", "out/1"]
    named = planned(tiny, FOLDER, "hydra.sweep.subdir='${hydra:job.override_dirname}'")
    assert named == ["here/++seed=5,recipe='tiny'", "here/++seed=6,recipe='tiny'"]


def planned(recipe: str, *overrides: str) -> list[str]:
    groups = plan(Request(recipe, ("seed=5,6", *overrides))).groups
    return [str(member.path) for group in groups for member in group.members]
