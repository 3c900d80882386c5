"""A run directory is made once, taken up again by the same recipe alone, and used by one process at a time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from framework.core.errors import RunError
from framework.train.directory import RunDirectory, fresh

REPOSITORY = Path(__file__).parents[2]
TREE = {
    "name": "digits_mlp",
    "optimizer": {"type": "adamw", "learning_rate": 1e-5, "betas": [0.9, 0.999]},
    "trainer": {"epochs": 5, "steps": None},
    "report": {"tensorboard": True},
    "checkpoint": {"keep": 2, "monitor": "valid.loss"},
    "run": {"dir": None, "stages": ["train"], "evaluate_splits": ["test"]},
}


def take(path: Path, tree: dict = TREE) -> RunDirectory:
    return RunDirectory.create_or_resume(path, tree, yaml_text=yaml.safe_dump(tree, sort_keys=False))


def altered(**changes: object) -> dict:
    tree = {name: dict(value) if isinstance(value, dict) else value for name, value in TREE.items()}
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if value is ...:
            del tree[section][name]
        else:
            tree[section][name] = value
    return tree


def test_a_new_run_is_made_and_the_same_recipe_takes_it_up(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "a"
    with take(path) as home:
        assert not home.resumed
        assert yaml.safe_load(home.config.read_text()) == TREE
    with take(path) as home:
        assert home.resumed


def test_a_changed_recipe_is_refused_key_by_key_and_nothing_is_overwritten(tmp_path: Path) -> None:
    take(tmp_path).close()
    before = (tmp_path / "config.yaml").read_text()
    changed = altered(
        optimizer__learning_rate=1e-3, optimizer__betas=(0.9, 0.99), optimizer__type=..., trainer__warmup=10
    )
    with pytest.raises(RunError) as told:
        take(tmp_path, changed)
    assert str(told.value) == (
        f"{tmp_path}: holds a run of another recipe:\n"
        "  optimizer.learning_rate: 1e-05 -> 0.001\n"
        "  optimizer.betas: [0.9, 0.999] -> [0.9, 0.99]\n"
        '  optimizer.type: "adamw" -> not set\n'
        "  trainer.warmup: not set -> 10\n"
        "  expected:  the recipe that the run was started with (only report, parallel, run.dir, run.stages, "
        "checkpoint.keep may change; another length is another schedule)\n"
        "  fix:       choose another run.dir=PATH, or take the changes back"
    )
    assert (tmp_path / "config.yaml").read_text() == before
    take(tmp_path).close()


def test_another_length_is_another_run(tmp_path: Path) -> None:
    take(tmp_path).close()
    with pytest.raises(RunError, match=r"trainer\.epochs: 5 -> 6\n"):
        take(tmp_path, altered(trainer__epochs=6))


@pytest.mark.parametrize(
    "change",
    [
        {"report__tensorboard": False},
        {"run__dir": "elsewhere"},
        {"run__stages": ("train", "evaluate")},
        {"checkpoint__keep": 7},
        {"optimizer__betas": (0.9, 0.999)},
    ],
)
def test_what_reaches_no_number_may_change(tmp_path: Path, change: dict) -> None:
    take(tmp_path).close()
    with RunDirectory.create_or_resume(tmp_path, altered(**change), yaml_text="name: digits_mlp\n") as home:
        assert home.resumed
        assert home.config.read_text() == "name: digits_mlp\n"


def test_a_difference_given_by_the_caller_is_told_instead(tmp_path: Path) -> None:
    take(tmp_path).close()
    seen: list[object] = []

    def difference(before: object, after: object) -> list[str]:
        seen.extend((before, after))
        return ["the moon is new"]

    with pytest.raises(RunError, match="another recipe:\n  the moon is new\n"):
        RunDirectory.create_or_resume(tmp_path, TREE, yaml_text="", difference=difference)
    without = {name: value for name, value in TREE.items() if name != "report"} | {
        "run": {"evaluate_splits": ["test"]},
        "checkpoint": {"monitor": "valid.loss"},
    }
    assert seen == [without, without]


def test_a_folder_of_something_else_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(
        RunError, match=r"run\.dir: .* exists and is not a run: it holds thesis\.tex\n(.*\n)*  fix: .*run\.dir="
    ):
        take(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_killed_before_its_first_file_can_be_started_again(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("")
    (tmp_path / ".config.yaml.123.tmp").write_text("name: dig")
    with take(tmp_path) as home:
        assert not home.resumed


def test_a_path_that_cannot_be_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file is a file"):
        take(tmp_path / "file")


def test_a_config_that_is_no_longer_yaml_is_told(tmp_path: Path) -> None:
    take(tmp_path).close()
    (tmp_path / "config.yaml").write_text("a: [")
    with pytest.raises(RunError, match=r"config\.yaml: can no longer be read"):
        take(tmp_path)


@pytest.mark.parametrize(("folder", "found"), [("missing", "does not exist"), ("", "is not a run directory")])
def test_only_a_run_can_be_opened(tmp_path: Path, folder: str, found: str) -> None:
    with pytest.raises(RunError, match=found):
        RunDirectory.open(tmp_path / folder)


def test_stages_are_complete_once_they_are_finished(tmp_path: Path) -> None:
    with take(tmp_path) as home:
        assert not home.is_complete("train")
        home.finish("train", {"step": 100})
        home.finish("evaluate", {"splits": ["test"]})
    again = RunDirectory.open(tmp_path)
    assert again.is_complete("train")
    assert not again.is_complete("predict")
    assert again.stages() == {"train": {"step": 100}, "evaluate": {"splits": ["test"]}}


def test_a_json_file_reads_back_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    with take(tmp_path) as home:
        assert home.read("result.json") is None
        home.write("result.json", {"loss": 0.1, "names": ["ä"]})
        assert home.read("result.json") == {"loss": 0.1, "names": ["ä"]}
        (tmp_path / "result.json").write_text("{")
        with pytest.raises(RunError, match=r"result\.json: is no longer JSON"):
            home.read("result.json")


def test_fresh_folders_never_collide(tmp_path: Path) -> None:
    now = datetime(2026, 3, 9, 14, 5, 7)
    paths = [fresh("digits_mlp", tmp_path, now) for _ in range(3)]
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "digits_mlp/2026-03-09_14-05-07",
        "digits_mlp/2026-03-09_14-05-07-2",
        "digits_mlp/2026-03-09_14-05-07-3",
    ]
    with take(paths[0]) as home:
        assert not home.resumed


HOLD = """
import pathlib, sys, time
from framework.train.lock import RunLock
lock = RunLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_a_second_process_is_told_who_holds_the_run_and_death_lets_it_go(tmp_path: Path) -> None:
    take(tmp_path).close()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=rf"{re.escape(str(tmp_path))}: is in use by process {holder.pid} on \S+\n"):
            take(tmp_path)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    with take(tmp_path) as home:
        assert home.resumed


def test_one_process_cannot_take_a_run_twice(tmp_path: Path) -> None:
    with take(tmp_path), pytest.raises(RunError, match=f"is in use by process {os.getpid()} on"):
        take(tmp_path)


def test_reading_needs_no_lock(tmp_path: Path) -> None:
    with take(tmp_path):
        assert RunDirectory.open(tmp_path).resumed
