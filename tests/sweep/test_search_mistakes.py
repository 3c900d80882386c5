"""What cannot be searched is told with its fix, and nothing is written."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from framework.cli.main import main
from framework.core.errors import ConfigError, RunError
from framework.sweep.driver import plan, sweep
from framework.sweep.prepared import Request
from framework.sweep.search import learning

RATE, WIDTH = "optimizer.learning_rate", "network.args.width"
AXIS = f"{RATE}=log(interval(1e-4,1e-1))"
PBT = (AXIS, "sweep.sampler=pbt", "sweep.trials=4")

MISTAKES = {
    "an unknown sampler": ((AXIS, "sweep.sampler=tpa"), "sweep.sampler", "unknown value 'tpa'", "sweep.sampler=tpe"),
    "an unknown pruner": (
        ("seed=0,1", "sweep.pruner.type=medan"),
        "sweep.pruner.type",
        "unknown value 'medan'",
        "sweep.pruner.type=median",
    ),
    "no trials": ((AXIS, "sweep.sampler=tpe", "sweep.trials=0"), "sweep.trials", "0 is out of range", "sweep.trials=1"),
    "nobody says how many": ((AXIS, "sweep.sampler=tpe"), "sweep.trials", "goes on for ever", "sweep.trials=20"),
    "too few directions": (
        ("seed=0,1", "sweep.objective=[valid.loss,valid.accuracy]", "sweep.direction=[minimize]"),
        "sweep.direction",
        "1 directions for 2 objectives",
        "sweep.direction=[minimize,minimize]",
    ),
    "categories and cmaes": (
        (AXIS, "optimizer=adam,sgd", "sweep.sampler=cmaes", "sweep.trials=4"),
        "sweep.space.optimizer",
        "cmaes cannot choose among adam,sgd",
        "sweep.sampler=tpe",
    ),
    "one axis and cmaes": (
        (AXIS, "sweep.sampler=cmaes", "sweep.trials=4"),
        "sweep.space",
        "cmaes needs at least two axes",
        "sweep.sampler=tpe",
    ),
    "several objectives and cmaes": (
        (AXIS, "seed=range(4)", "sweep.sampler=cmaes", "sweep.trials=4", "sweep.objective=[valid.loss,valid.accuracy]"),
        "sweep.objective",
        "cmaes has one objective, not 2",
        "sweep.sampler=nsga2",
    ),
    "a pruner of what validation does not report": (
        ("seed=0,1", "sweep.pruner=asha", "sweep.objective=test.loss"),
        "sweep.objective",
        "asha compares validations, and none reports 'test.loss'",
        "sweep.objective=valid.loss, or sweep.pruner=none",
    ),
    "a pruner of several objectives": (
        ("seed=0,1", "sweep.pruner=median", "sweep.objective=[valid.loss,valid.accuracy]"),
        "sweep.objective",
        "median compares by one objective, not by 2",
        "sweep.objective=valid.loss, or sweep.pruner=none",
    ),
    "no URL": (
        (AXIS, "sweep.sampler=tpe", "sweep.trials=4", "sweep.storage=nowhere"),
        "sweep.storage",
        "'nowhere' is no URL of a database",
        "sweep.storage=null",
    ),
    "a storage that cannot be opened": (
        (AXIS, "sweep.sampler=tpe", "sweep.trials=4", "sweep.storage=sqlite:////no/such/folder/study.sqlite"),
        "sweep.storage",
        "cannot be opened: unable to open database file",
        "sweep.storage=postgresql://USER:PASSWORD@HOST:5432/DATABASE",
    ),
    "a structural key of a population": (
        (f"{WIDTH}=4,8", *PBT),
        WIDTH,
        "a member of a population cannot change it",
        f"{WIDTH}=4, or sweep.sampler=tpe",
    ),
    "a value that follows": (
        (*PBT, f"optimizer.weight_decay=${{{RATE}}}"),
        "optimizer.weight_decay",
        "follows from an axis",
        "optimizer.weight_decay=0.0",
    ),
    "a population and a pruner": (
        (*PBT, "sweep.pruner=asha"),
        "sweep.pruner",
        "members of a population are replaced, not ended",
        "sweep.pruner=none",
    ),
    "a population in parts": ((*PBT, "sweep.batch=2"), "sweep.batch", "trains together", "sweep.batch=null"),
    "a population in processes": ((*PBT, "sweep.workers=2"), "sweep.workers", "one process", "sweep.workers=1"),
    "a population of one": (
        (*PBT[:2], "sweep.trials=1"),
        "sweep.trials",
        "a population has at least two members",
        "sweep.trials=16",
    ),
    "a population one by one": (
        (*PBT, "hydra/launcher=basic"),
        "hydra/launcher",
        "basic runs members one by one",
        "hydra/launcher=vectorized",
    ),
    "a population over devices": (
        (*PBT, "parallel=data"),
        "parallel",
        "data lays each member out by itself",
        "parallel=auto",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_fix(tiny: str, name: str) -> None:
    overrides, key, found, fix = MISTAKES[name]
    with pytest.raises(ConfigError) as told:
        plan(Request(tiny, (*overrides, "sweep.dir=here")))
    problem = next(problem for problem in told.value.problems if problem.key == key)
    assert found in problem.found
    assert fix in (problem.fix or "")
    assert problem.origin or key == "hydra/launcher"
    assert not Path("here").exists()


@pytest.mark.parametrize(
    "sampler, package, fix",
    [
        ("tpe", "optuna", "pip install 'framework[sweep]', or sweep.sampler=random"),
        ("cmaes", "cmaes", "pip install 'framework[sweep]', or sweep.sampler=random"),
        ("gp", "torch", "pip install torch, or sweep.sampler=tpe"),
    ],
)
def test_a_missing_package_is_named(
    tiny: str, monkeypatch: pytest.MonkeyPatch, sampler: str, package: str, fix: str
) -> None:
    def found(name: str) -> ModuleSpec | None:
        return None if name == package else importlib.util.find_spec("sys")

    monkeypatch.setattr(learning, "find_spec", found)
    with pytest.raises(ConfigError) as told:
        plan(Request(tiny, (AXIS, f"sweep.sampler={sampler}", "sweep.trials=4")))
    (problem,) = told.value.problems
    assert problem.found == f"'{sampler}' needs {package}, which is not installed"
    assert problem.fix == fix


def test_the_command_ends_with_two(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", tiny, AXIS, "sweep.sampler=tpa"]) == 2
    assert "sweep.sampler: unknown value 'tpa'" in capsys.readouterr().err


def test_another_sampler_is_another_sweep(tiny: str) -> None:
    words = (AXIS, "sweep.trials=2", "sweep.dir=here", "checkpoint=none", "run.stages=[train]")
    sweep(Request(tiny, (*words, "sweep.sampler=random")))
    with pytest.raises(RunError, match='sampler: "random" -> "tpe"'):
        sweep(Request(tiny, (*words, "sweep.sampler=tpe")))


def test_the_sweeper_may_be_named(tiny: str) -> None:
    words = (AXIS, "sweep.sampler=tpe", "sweep.trials=2", "hydra/sweeper=sampler")
    assert plan(Request(tiny, words)).trials == 2
