"""The verbs that run: run, train, evaluate, predict, init and -m, once each from end to end."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from cli_command import ROOT, Command, Done
from sklearn.datasets import load_wine

from framework.report.words import number

QUICK = ("trainer.epochs=2", "report.tensorboard=false", "report.figures=false", "data.limit=200")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the runs of this file."""
    return tmp_path_factory.mktemp("runs")


def start(folder: Path, *words: str) -> Done:
    """The command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "framework", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def finished(runs: Path) -> tuple[Path, Done]:
    """A finished run of wine_mlp, and what the command said."""
    done = start(runs, "run", "wine_mlp", *QUICK, "run.dir=wine")
    return runs / "wine", done


def test_run_prints_metrics_a_confusion_matrix_and_the_path(finished: tuple[Path, Done]) -> None:
    path, done = finished
    assert done.code == 0, done.err
    result = json.loads((path / "result.json").read_text())
    assert re.search(rf"^accuracy +{number(result['metrics']['test']['accuracy'])}$", done.out, re.MULTILINE)
    assert "test confusion: true classes in rows, predicted ones in columns" in done.out
    assert done.out.splitlines()[-1] == "run: wine"
    assert {"config.yaml", "metrics.jsonl", "result.json", "stages.json"} <= {file.name for file in path.iterdir()}


def test_progress_goes_to_stderr_and_results_to_stdout(finished: tuple[Path, Done]) -> None:
    _, done = finished
    assert re.search(r"^epoch \d/2  step ", done.err, re.MULTILINE)
    assert "epoch " not in done.out


def test_finished_stages_are_skipped_on_a_rerun(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    before = (path / "metrics.jsonl").read_bytes()
    done = call("run", "wine_mlp", *QUICK, "run.dir=wine", cwd=path.parent)
    assert done.code == 0
    assert done.out.splitlines()[0] == "complete: train, evaluate finished before"
    assert (path / "metrics.jsonl").read_bytes() == before


def test_a_changed_recipe_is_refused_with_the_difference(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    done = call("run", "wine_mlp", *QUICK, "run.dir=wine", "optimizer.learning_rate=0.5", cwd=path.parent)
    assert (done.code, done.out) == (2, "")
    assert "optimizer.learning_rate: 0.005 -> 0.5" in done.err
    assert "Traceback" not in done.err


def test_evaluate_gives_what_the_run_gave(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    done = call("evaluate", "wine", "--json", cwd=path.parent)
    assert done.code == 0
    result = json.loads((path / "result.json").read_text())
    assert json.loads(done.out) == {"test": result["metrics"]["test"]}


def test_evaluate_prints_a_column_for_each_split(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    done = call("evaluate", "wine", "--split", "valid", "--split", "train", "--checkpoint", "last", cwd=path.parent)
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("checkpoint of step ")
    assert done.out.splitlines()[1].split() == ["metric", "valid", "train"]


def test_evaluate_refuses_a_split_or_a_run_that_is_not_there(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    done = call("evaluate", "wine", "--split", "tset", cwd=path.parent)
    assert done.code == 2
    assert "--split: unknown value 'tset'" in done.err
    assert "fix:       --split test" in done.err
    done = call("evaluate", "none", cwd=path.parent)
    assert done.code == 2
    assert "none: does not exist" in done.err


def test_evaluate_refuses_a_checkpoint_that_is_no_step(call: Command) -> None:
    done = call("evaluate", "wine", "--checkpoint", "bset")
    assert done.code == 2
    assert "--checkpoint: unknown value 'bset'" in done.err
    assert "fix:       --checkpoint best" in done.err


def test_predict_writes_a_row_for_each_input_and_names_its_class(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    np.savez(path.parent / "new.npz", features=np.asarray(load_wine().data[::60], np.float32))
    done = call("predict", "wine", "--input", "new.npz", "-o", "out.csv", cwd=path.parent)
    assert (done.code, done.out) == (0, "wrote 3 rows to out.csv\n"), done.err
    with (path.parent / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = json.loads((path / "data.json").read_text())["class_names"]
    for row in rows:
        logits = [float(row[f"logits.{i}"]) for i in range(3)]
        assert row["class"] == names[int(np.argmax(logits))]


def test_predict_prints_the_rows_where_no_file_is_named(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    np.savez(path.parent / "printed.npz", features=np.asarray(load_wine().data[::60], np.float32))
    written = call("predict", "wine", "--input", "printed.npz", "-o", "printed.csv", cwd=path.parent)
    printed = call("predict", "wine", "--input", "printed.npz", cwd=path.parent)
    assert (written.code, printed.code, printed.err) == (0, 0, "")
    assert printed.out == (path.parent / "printed.csv").read_text()


def test_predict_refuses_a_format_before_it_loads_anything(call: Command) -> None:
    done = call("predict", "none", "--input", "new.npz", "-o", "out.cvs")
    assert done.code == 2
    assert "--output: unknown ending '.cvs'" in done.err
    assert "fix:       -o out.csv" in done.err


def test_predict_tells_of_an_input_that_is_not_there(finished: tuple[Path, Done], call: Command) -> None:
    path, _ = finished
    done = call("predict", "wine", "--input", "none.npz", "-o", "out.csv", cwd=path.parent)
    assert done.code == 2
    assert "none.npz" in done.err
    assert "Traceback" not in done.err


def test_multirun_trains_each_combination_in_a_folder_of_its_own(call: Command, tmp_path: Path) -> None:
    done = call("run", "wine_mlp", *QUICK, "trainer.epochs=1", "-m", "seed=0,1", "hydra.sweep.dir=sweep")
    assert done.code == 0, done.err
    rows = [line.split() for line in done.out.splitlines()[-2:]]
    assert [(row[0], row[1], row[-1]) for row in rows] == [("0", "seed=0", "sweep/0"), ("1", "seed=1", "sweep/1")]
    seeds = [yaml.safe_load((tmp_path / "sweep" / name / "config.yaml").read_text())["seed"] for name in "01"]
    assert seeds == [0, 1]


def test_multirun_tells_a_mistake_in_any_job_before_the_first_runs(call: Command, tmp_path: Path) -> None:
    done = call("run", "wine_mlp", "-m", "data.batch_size=32,-1")
    assert done.code == 2
    assert "data.batch_size: -1 is out of range" in done.err
    assert list(tmp_path.iterdir()) == []


def test_init_makes_a_project_whose_test_passes(runs: Path) -> None:
    project = runs / "project"
    made = start(runs, "init", "project")
    assert made.code == 0
    assert "  project/recipes/spirals.yaml" in made.out
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert tested.returncode == 0, tested.stdout
    assert "passed" in tested.stdout


def test_the_recipe_of_a_new_project_needs_trust(call: Command, tmp_path: Path) -> None:
    assert call("init", "project").code == 0
    project = tmp_path / "project"
    refused = call("check", "spirals", cwd=project)
    assert refused.code == 2
    assert "'my_layers.Waves' is not trusted" in refused.err
    assert "fix:       --trust my_layers" in refused.err
    shown = call("show", "spirals", "--trust", "my_layers", cwd=project)
    assert shown.code == 0


def test_init_refuses_a_folder_that_is_not_empty(call: Command, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    done = call("init", "full")
    assert done.code == 2
    assert "fw init full: the folder is not empty: it holds mine.txt" in done.err
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_train_stops_after_training(call: Command, tmp_path: Path) -> None:
    done = call("train", "wine_mlp", *QUICK, "run.dir=only")
    assert done.code == 0, done.err
    assert list(json.loads((tmp_path / "only" / "stages.json").read_text())) == ["train"]
    assert done.out.splitlines()[-1] == "run: only"


def interrupted(folder: Path, *words: str) -> tuple[int, str]:
    """Start a long run, interrupt it once training has begun, and give the step that it saved and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "framework", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    process.stderr.readline()  # the first line of progress: training has begun
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    saved = re.search(r"SIGINT: saved at step (\d+); the same command", err)
    assert (process.returncode, out, "Traceback" in err) == (130, "", False), err
    assert saved is not None, err
    return int(saved[1]), err


def test_an_interrupted_run_names_its_folder_and_goes_on_there(tmp_path: Path) -> None:
    length = ("trainer.epochs=null", "trainer.steps=100000000", "trainer.validate_every_steps=50000000")
    words = ("train", "wine_mlp", "report.tensorboard=false", *length)
    first, said = interrupted(tmp_path, *words)
    folder = re.search(r"goes on from there: (run\.dir=runs/wine_mlp/\S+)$", said, re.MULTILINE)
    assert folder is not None, said
    second, said = interrupted(tmp_path, *words, folder[1])
    assert 0 < first < second
    assert said.splitlines()[-1].endswith("goes on from there")
