"""What cannot be swept is told with its fix, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweeping_recipe import TINY

from framework.core.errors import ConfigError
from framework.sweep.driver import plan, sweep
from framework.sweep.prepared import Request

RATE = "optimizer.learning_rate"

MISTAKES = {
    "no axis": (["seed=3"], "sweep.space", "the sweep has no axis", "seed=range(8)"),
    "an interval on a grid": (
        [f"{RATE}=log(interval(1e-4,1e-1))"],
        RATE,
        "an interval has no end of values to try one by one",
        "sweep.sampler=random sweep.trials=20",
    ),
    "a structural interval on a grid": (
        ["network.args.width=int(interval(4,8))"],
        "network.args.width",
        "an interval has no end of values to try one by one",
        "sweep.sampler=random sweep.trials=20",
    ),
    "an empty interval": ([f"{RATE}=interval(2,1)", "sweep=random"], RATE, "has no inside", f"{RATE}=interval(1,2)"),
    "the logarithm of zero": (
        [f"{RATE}=log(interval(0,1))", "sweep=random"],
        RATE,
        "the logarithm of 0 does not exist",
        f"{RATE}=log(interval(0.001,1))",
    ),
    "unequal zipped axes": (
        [f"{RATE}=0.1,0.2", "seed=0,1,2", f"sweep.zip=[[{RATE},seed]]"],
        "sweep.zip",
        f"zipped axes have 2 values ({RATE}), 3 values (seed)",
        f"{RATE}=0.1,0.2,... with 3 values",
    ),
    "a zipped key that is no axis": (
        ["seed=0,1", "sweep.zip=[[seed,sed]]"],
        "sweep.zip",
        "'sed' is no axis",
        "sweep.zip=[[seed,seed]]",
    ),
    "a key zipped twice": (
        ["seed=0,1", f"{RATE}=1,2", f"sweep.zip=[[seed,{RATE}],[seed]]"],
        "sweep.zip",
        "'seed' stands in two groups, or twice in one",
        "name it in one group",
    ),
    "an unknown key": (["optimizer.learning_rat=1,2"], "optimizer.learning_rat", "no setting", f"{RATE}=1"),
    "a value out of range": ([f"{RATE}=1,-2", "seed=0,1"], RATE, "-2 is out of range", f"{RATE}=0"),
    "no trials": (["seed=0,1", "sweep.trials=0"], "sweep.trials", "0 is out of range", "sweep.trials=1"),
    "no values": (["seed=range(0)"], "seed", "range(0) has no values", "seed=range(8)"),
    "draws without an end": (
        ["seed=0,1", "sweep.sampler=random"],
        "sweep.trials",
        "the sampler random goes on for ever",
        "sweep.trials=20",
    ),
    "an objective that nothing reports": (
        ["seed=0,1", "sweep.objective=valid.acuracy"],
        "sweep.objective",
        "nothing reports 'valid.acuracy'",
        "sweep.objective=valid.accuracy",
    ),
    "an objective that is a matrix": (
        ["seed=0,1", "sweep.objective=valid.confusion"],
        "sweep.objective",
        "nothing reports 'valid.confusion'",
        "sweep.objective=valid.loss",
    ),
    "a direction too many": (
        ["seed=0,1", "sweep.direction=[minimize,maximize]"],
        "sweep.direction",
        "2 directions for 1 objectives",
        None,
    ),
    "an unknown sampler": (["seed=0,1", "sweep.sampler=gird"], "sweep.sampler", "'gird'", "sweep.sampler=grid"),
    "a condition on an unknown key": (
        ["seed=0,1", "+sweep.space.optimizer.b1={values: [0.5], when: {optimizer.tipe: sgd}}"],
        "sweep.space.optimizer.b1.when",
        "the recipe has no key 'optimizer.tipe'",
        "when: {optimizer.type: ...}",
    ),
    "conditions in a circle": (
        [
            "+sweep.space.optimizer.b1={values: [0.5], when: {optimizer.b2: 1}}",
            "+sweep.space.optimizer.b2={values: [0.5], when: {optimizer.b1: 1}}",
        ],
        "sweep.space",
        "conditions go round in a circle: optimizer.b1 -> optimizer.b2 -> optimizer.b1",
        None,
    ),
    "an axis in the section's own words": (
        ["+sweep.space.seed={values: [1], wen: {optimizer: sgd}}"],
        "sweep.space.seed",
        "an axis has no 'wen'",
        "~sweep.space.seed.wen",
    ),
    "an axis of the recipe that cannot be read": (
        ["+sweep.space.seed='range(1,'"],
        "sweep.space.seed",
        "cannot be read",
        "close the bracket: (...)",
    ),
    "a setting of the sweep that is swept": (
        ["sweep.trials=1,2"],
        "sweep.trials",
        "the sweep's own settings cannot be swept",
        "leave out sweep.trials=1,2",
    ),
    "zipped axes for a sweeper of Hydra's": (
        ["seed=0,1", f"{RATE}=1,2", f"sweep.zip=[[seed,{RATE}]]", "hydra/sweeper=basic"],
        "sweep.zip",
        "a sweeper of Hydra's knows no zipped axes",
        "leave out hydra/sweeper",
    ),
    "several processes of one run": (
        ["seed=0,1", "parallel=data", "parallel.hosts=auto"],
        "parallel.hosts",
        "the processes of one run cannot run a sweep together",
        "parallel.hosts=null, with hydra/launcher=ray or submitit_slurm for more machines",
    ),
    "one run directory for all": (
        ["seed=0,1", "run.dir=here"],
        "run.dir",
        "trials 0 and 1 have the same run directory, here",
        "leave out run.dir, or run.dir='runs/mine/${hydra:job.num}'",
    ),
}


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case.replace(" ", "-"))
def test_a_mistake_is_told_with_its_fix(tiny: str, case: str) -> None:
    overrides, key, found, fix = MISTAKES[case]
    with pytest.raises(ConfigError) as caught:
        plan(Request(tiny, tuple(overrides)))
    (problem,) = caught.value.problems
    assert problem.key == key
    assert found in problem.found
    assert fix is None or problem.fix == fix
    assert problem.origin
    assert [path.name for path in Path().iterdir()] == ["tiny.yaml"]


def test_the_trial_with_the_mistake_is_named_and_a_mistake_of_all_is_told_once(tiny: str) -> None:
    third = r"recipe tiny, job 2 of 4 \(optimizer.learning_rate=-2 seed=0\), has 1 problem"
    with pytest.raises(ConfigError, match=third):
        plan(Request(tiny, (f"{RATE}=1,-2", "seed=0,1")))
    with pytest.raises(ConfigError, match=r"job 0 of 3 \(optimizer.learning_rat=1\), has 1 problem"):
        plan(Request(tiny, ("optimizer.learning_rat=1,2,3",)))


def test_a_plan_of_trials_that_are_proposed_on_the_way_is_refused(tiny: str) -> None:
    with pytest.raises(ConfigError, match="a sweeper of Hydra's proposes its trials while it runs") as caught:
        plan(Request(tiny, ("seed=0,1", "hydra/sweeper=basic")))
    assert caught.value.problems[0].fix == "leave out hydra/sweeper, or the plan"


# The sum takes 8 features and as many as `more` says.
SUM = """
  args: {width: 8, dropout: 0.1, more: 8}
  layers:
    hidden: {dense: {features: "=width"}}
    beside: {dense: {features: "=more"}, from: input}
    act:    {add: {}, from: [hidden, beside]}
"""


@pytest.mark.parametrize("launcher", ["vectorized", "submitit_local"])
def test_a_mistake_in_any_group_is_told_before_the_first_begins(tiny: str, launcher: str) -> None:
    before, _, after = TINY.partition("network:")
    Path("tiny.yaml").write_text(f"{before}network:{SUM}    drop:{after.partition('drop:')[2]}", encoding="utf-8")
    axes = ("network.args.more=8,4,5", "seed=0,1", f"hydra/launcher={launcher}", "sweep.dir=here")
    with pytest.raises(ConfigError) as caught:
        sweep(Request(tiny, axes))
    first, second = caught.value.problems
    for problem, more in ((first, 4), (second, 5)):
        assert problem.key == "network.layers.act"
        assert f"{more}" in problem.found
        assert problem.found.endswith(f"(with network.args.more={more})")
    assert not Path("here").exists()
