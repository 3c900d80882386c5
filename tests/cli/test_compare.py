"""Runs beside one another, and means over seeds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from cli_command import Command

from framework.report.comparison import Spread, differing, read_run, repetitions, spread


def make_run(path: Path, rate: float, seed: int, accuracy: float | None, *, best: int = 20) -> Path:
    """A run directory, as far as it is compared."""
    path.mkdir(parents=True)
    (path / "config.yaml").write_text(
        f"seed: {seed}\noptimizer: {{learning_rate: {rate}, type: sgd}}\nrun: {{dir: {path.name}}}\n"
    )
    records = [{"step": step, "epoch": 1.0, "split": "valid", "loss": step / 100} for step in (10, 20, 30)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    metrics = {} if accuracy is None else {"test": {"accuracy": accuracy, "confusion": [[1, 0], [0, 1]]}}
    (path / "result.json").write_text(json.dumps({"step": 30, "best": {"step": best}, "metrics": metrics}))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two learning rates with two seeds each; 10 comes after 2."""
    make_run(tmp_path / "runs" / "1", 0.1, 0, 0.5)
    make_run(tmp_path / "runs" / "2", 0.1, 1, 0.7)
    make_run(tmp_path / "runs" / "10", 0.2, 0, 0.9)
    make_run(tmp_path / "runs" / "11", 0.2, 1, 0.9)
    return tmp_path


def test_the_deviation_is_that_of_a_sample() -> None:
    assert spread([1.0, 2.0, None, 3.0]) == Spread(2.0, 1.0, 3)
    assert spread([None]) is None
    alone = spread([4.0])
    assert alone is not None and (alone.mean, alone.count, math.isnan(alone.deviation)) == (4.0, 1, True)
    diverged = spread([1.0, math.inf])
    assert diverged is not None and math.isnan(diverged.mean)


def test_validation_is_that_of_the_best_checkpoint_and_places_are_no_difference(tmp_path: Path) -> None:
    settings = {"seed": 1, "run": {"dir": "a"}, "report": {"figures": True}}
    run = read_run(make_run(tmp_path / "a", 0.1, 1, 0.5, best=20), settings)
    other = read_run(make_run(tmp_path / "b", 0.1, 1, None, best=30), settings | {"run": {"dir": "b"}})
    assert dict(run.metrics) == {"valid.loss": 0.2, "test.accuracy": 0.5}
    assert dict(other.metrics) == {"valid.loss": 0.3}
    assert differing([run, other]) == []
    assert repetitions([run, other], ["seed"]) == [[run, other]]


def test_a_folder_stands_for_its_runs_and_seeds_are_taken_together(folder: Path, call: Command) -> None:
    done = call("compare", "runs", "--metric", "test.accuracy", "--sort=-test.accuracy", cwd=folder)
    assert (done.code, done.err) == (0, "")
    each, means = done.out.split("\nmean ± standard deviation over seed\n")
    assert [line.split() for line in each.splitlines()] == [
        ["run", "seed", "optimizer.learning_rate", "test.accuracy"],
        ["runs/10", "0", "0.2", "0.9000"],
        ["runs/11", "1", "0.2", "0.9000"],
        ["runs/2", "1", "0.1", "0.7000"],
        ["runs/1", "0", "0.1", "0.5000"],
    ]
    assert [line.split() for line in means.splitlines()] == [
        ["optimizer.learning_rate", "runs", "test.accuracy"],
        ["0.2", "2", "0.9000", "±", "0"],
        ["0.1", "2", "0.6000", "±", "0.1414"],
    ]


def test_runs_are_in_the_order_of_their_numbers(folder: Path, call: Command) -> None:
    done = call("compare", "runs", "--json", cwd=folder)
    told = json.loads(done.out)
    assert [run["run"] for run in told["runs"]] == ["runs/1", "runs/2", "runs/10", "runs/11"]
    assert told["runs"][0]["metrics"] == {"valid.loss": 0.2, "test.accuracy": 0.5}
    assert [group["settings"] for group in told["means"]] == [
        {"optimizer.learning_rate": 0.1},
        {"optimizer.learning_rate": 0.2},
    ]


def test_few_runs_that_differ_in_much_have_a_column_each(tmp_path: Path, call: Command) -> None:
    for name in ("a", "b"):
        make_run(tmp_path / name, 0.1, 1, 0.5)
        lines = "".join(f"  setting_of_some_length_{index}: {name}\n" for index in range(8))
        (tmp_path / name / "config.yaml").write_text("data:\n" + lines)
    done = call("compare", "a", "b", cwd=tmp_path)
    assert done.out.splitlines()[0].split() == ["run", "a", "b"]
    assert done.out.splitlines()[-1].split() == ["test.accuracy", "0.5000", "0.5000"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("runs/1",), "fw compare: one run is named"),
        (("runs/1", "none"), "none: does not exist"),
        (("runs/1", "."), ".: holds no run"),
        (("runs", "--sort", "test.acuracy"), "fix:       --sort test.accuracy"),
        (("runs", "--metric", "acc"), "--metric: nothing is called 'acc'"),
        (("runs", "--over", "sed"), "fix:       --over seed"),
    ],
)
def test_what_cannot_be_compared_is_told(words: tuple[str, ...], message: str, folder: Path, call: Command) -> None:
    done = call("compare", *words, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_damaged_result_is_told(folder: Path, call: Command) -> None:
    (folder / "runs" / "2" / "result.json").write_text("{")
    done = call("compare", "runs", cwd=folder)
    assert done.code == 2
    assert "runs/2/result.json: cannot be read" in done.err
