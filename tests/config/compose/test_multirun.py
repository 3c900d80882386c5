"""Hydra's multirun over a recipe: the grid, the folder, what is told before anything runs, and nothing left behind."""

from __future__ import annotations

import logging
import os
import pickle
import re
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

from framework.config.compose import composed_yaml, info, load, multirun
from framework.config.compose.sweeping import Job
from framework.core.errors import ConfigError, Interrupted


def _seed_and_type(loaded, number, folder):
    return number, loaded.config.seed, loaded.config.optimizer.type


def test_a_grid_runs_in_order(write):
    write()
    results = multirun("./mine.yaml", ["seed=1,2", "optimizer=adamw,sgd", "~metrics"], _seed_and_type)
    assert results == [(0, 1, "adamw"), (1, 1, "sgd"), (2, 2, "adamw"), (3, 2, "sgd")]


@pytest.mark.parametrize(
    ("override", "seeds"),
    [
        ("seed=range(1,3)", [1, 2]),
        ("seed=choice(5,7)", [5, 7]),
        ("+seed=1,2", None),
        ("++seed=1,2", [1, 2]),
        ("seed=4", [4]),
    ],
)
def test_every_discrete_sweep_of_the_grammar_works(write, override, seeds):
    write()
    if seeds is None:
        with pytest.raises(ConfigError, match="is set already, so \\+ cannot add it"):
            multirun("./mine.yaml", [override], _seed_and_type)
    else:
        assert [seed for _, seed, _ in multirun("./mine.yaml", [override], _seed_and_type)] == seeds


def test_a_glob_sweeps_over_the_options_of_a_group(write):
    write()
    types = [
        kind for _, _, kind in multirun("./mine.yaml", ["optimizer=glob(ad*,exclude=[adag*,adaf*])"], _seed_and_type)
    ]
    assert types == ["adam", "adamw"]


def test_a_job_equals_its_recipe_loaded_alone(write):
    write()
    overrides = ["run.dir='out/${name}'", "optimizer.clip_norm=0.5,1.5"]
    jobs = multirun("./mine.yaml", overrides, lambda loaded, number, folder: loaded)
    alone = load("./mine.yaml", ["run.dir='out/${name}'", "optimizer.clip_norm=1.5"])
    assert jobs[1].config == alone.config
    assert jobs[1].origins == alone.origins
    assert jobs[1].origins["optimizer.clip_norm"] == "override optimizer.clip_norm=1.5"


def test_a_jobs_number_may_be_read(write):
    write("run: {dir: 'out/${hydra:job.num}'}\n")
    dirs = multirun("./mine.yaml", ["seed=1,2"], lambda loaded, number, folder: loaded.config.run.dir)
    assert dirs == ["out/0", "out/1"]


def test_the_sweep_has_a_folder_below_runs_and_nothing_else_is_written(write, folder, capfd):
    write()
    here, level = os.getcwd(), logging.getLogger().level
    handlers = list(logging.getLogger().handlers)
    (sweep,) = set(multirun("./mine.yaml", ["seed=1,2"], lambda loaded, number, folder: folder))
    assert re.fullmatch(r"runs/mine/sweep-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", str(sweep))
    assert sorted(path.name for path in folder.iterdir()) == ["mine.yaml", "runs"]
    assert sorted(path.name for path in sweep.iterdir()) == ["0", "1", "multirun.yaml"]
    assert list((sweep / "0").iterdir()) == []
    assert os.getcwd() == here
    assert (logging.getLogger().level, logging.getLogger().handlers) == (level, handlers)
    assert capfd.readouterr() == ("", "")


def test_the_sweeps_configuration_is_kept_as_written(write):
    write()
    (sweep,) = multirun("./mine.yaml", ["seed=1"], lambda loaded, number, folder: folder)
    assert "features: ${data.classes}" in (sweep / "multirun.yaml").read_text(encoding="utf-8")


def test_the_folder_may_be_chosen(write):
    write()
    folders = multirun("./mine.yaml", ["seed=1,2", "hydra.sweep.dir=elsewhere"], lambda loaded, number, folder: folder)
    assert folders == [Path("elsewhere")] * 2
    assert Path("elsewhere/1").is_dir()


def test_hydra_is_left_as_it_was(write):
    write()
    multirun("./mine.yaml", ["seed=1,2"], _seed_and_type)
    assert not GlobalHydra.instance().is_initialized()
    assert not HydraConfig.initialized()


def test_a_mistake_in_the_last_job_is_told_before_the_first_runs(write, folder):
    write()
    ran = []
    with pytest.raises(ConfigError) as caught:
        overrides = ["seed=1,-3", "optimizer=adamw,adam", "optimizer.weight_decay=0.1"]
        multirun("./mine.yaml", overrides, lambda *arguments: ran.append(arguments))
    assert ran == []
    assert not (folder / "runs").exists()
    assert str(caught.value).startswith("recipe mine, job 1 of 4 (seed=1 optimizer=adam), has 2 problems\n")
    assert [problem.key for problem in caught.value.problems] == ["optimizer.weight_decay", "seed"]


UNREADABLE = {
    "an unknown option in a sweep": (["optimizer=adam,lionx"], "unknown option 'lionx'", "optimizer=adam,lion"),
    "an interval": (
        ["seed=interval(0,1)"],
        "an interval has no end of values to try one by one",
        "sweep.sampler=random sweep.trials=20",
    ),
    "a sweeper that is not installed": (["hydra/sweeper=optuna"], "unknown option 'optuna'", "hydra/sweeper=basic"),
    "broken grammar": (["seed=1,[2"], "'seed=1,[2' cannot be read at its end", "close the bracket: [...]"),
    "an unknown setting of Hydra's": (
        ["hydra.sweep.dri=x"],
        "no such setting of Hydra's",
        "leave out hydra.sweep.dri=x",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.replace(" ", "-"))
def test_what_cannot_be_swept_is_told(write, folder, case):
    write()
    overrides, found, fix = UNREADABLE[case]
    with pytest.raises(ConfigError) as caught:
        multirun("./mine.yaml", overrides, _seed_and_type)
    (problem,) = caught.value.problems
    assert (problem.found, problem.fix) == (found, fix)
    assert not (folder / "runs").exists()


def test_the_first_failure_ends_the_sweep_quietly(write, capfd):
    write()
    ran = []

    def task(loaded, number, folder):
        ran.append(number)
        if number == 1:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted, match="stopped"):
        multirun("./mine.yaml", ["seed=1,2,3"], task)
    assert ran == [0, 1]
    assert capfd.readouterr() == ("", "")


def test_a_launcher_can_send_a_job_to_another_process(write):
    write()
    job = Job(_seed_and_type, "./mine.yaml", (), (), {"++seed": "seed=\0"}, stops=False)
    sent = pickle.loads(pickle.dumps(job))
    assert sent.load(["recipe='mine'", "++seed=4"]).config.seed == 4


def test_the_composition_of_hydra_itself_is_shown(write):
    write()
    text = composed_yaml("./mine.yaml", ["hydra.sweep.dir=here"], "hydra")
    assert text.startswith("hydra:\n")
    assert "dir: here" in text
    both = composed_yaml("./mine.yaml", part="all")
    assert both.startswith("hydra:\n")
    assert "\nname: mine\n" in both
    assert composed_yaml("./mine.yaml").startswith("name: mine\n")


def test_hydras_information_is_shown(write):
    write()
    assert "recipe: mine" in info("./mine.yaml", kind="defaults-tree")
    assert "features: ${data.classes}" in info("./mine.yaml", kind="config")
    with pytest.raises(ConfigError, match="--info: unknown value 'defualts'") as caught:
        info("./mine.yaml", kind="defualts")
    assert caught.value.problems[0].fix == "--info defaults"
