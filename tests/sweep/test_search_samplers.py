"""Samplers that learn, asked and told by themselves: no training, known objectives."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import optuna
import pytest

from framework.sweep.prepared import Request, prepare
from framework.sweep.search import study as studies
from framework.sweep.space import Sampler, Trial

RATE, MASK, DROP = "optimizer.learning_rate", "optimizer.weight_decay", "network.args.dropout"
AXES = (f"{RATE}=log(interval(1e-4,1e-1))", f"{MASK}=interval(0,1)")


def made(recipe: str, *overrides: str) -> Sampler:
    sampler = prepare(Request(recipe, overrides)).sampler
    assert sampler is not None
    return sampler


def values(overrides: tuple[str, ...]) -> dict[str, str]:
    return dict(text.split("=", 1) for text in overrides)


def bowl(found: Mapping[str, str]) -> tuple[float, ...]:
    """Least at a rate of 1e-2 and a decay of 0.3."""
    return ((math.log10(float(found[RATE])) + 2) ** 2 + (float(found.get(MASK, 0.3)) - 0.3) ** 2,)


def searched(
    sampler: Sampler,
    folder: Path,
    trials: int,
    batch: int,
    score: Callable[[Mapping[str, str]], tuple[float, ...]] = bowl,
    past: tuple[Trial, ...] = (),
) -> list[Trial]:
    """All trials of a search."""
    folder.mkdir(exist_ok=True)
    sampler.open(folder)
    sampler.begin(past)
    found = list(past)
    while len(found) < trials:
        numbers = range(len(found), min(trials, len(found) + batch))
        asked = sampler.ask(numbers)
        told = [
            Trial(number, tuple(overrides), "done", score(values(tuple(overrides))))
            for number, overrides in zip(numbers, asked, strict=True)
        ]
        sampler.tell(told)
        found += told
    sampler.close()
    return found


def study_of(folder: Path) -> Any:
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.sqlite'}")
    (name,) = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=name, storage=storage).trials
    storage.remove_session()
    storage.engine.dispose()
    return trials


@pytest.mark.parametrize("name", ["tpe", "cmaes", "nsga2"])
def test_a_sampler_learns(tiny: str, tmp_path: Path, name: str) -> None:
    trials = 64 if name == "nsga2" else 28
    sampler = made(tiny, *AXES, f"sweep.sampler={name}", f"sweep.trials={trials}")
    found = searched(sampler, tmp_path / "s", trials, sampler.at_once or trials)
    scores = [trial.values[0] for trial in found if trial.values]
    assert mean(scores[-10:]) < mean(scores[:10])
    assert min(scores) < 0.05


@pytest.mark.parametrize("name", ["tpe", "cmaes", "nsga2", "qmc", "random"])
def test_a_search_that_was_interrupted_proposes_what_it_would_have_proposed(
    tiny: str, tmp_path: Path, name: str
) -> None:
    words = (*AXES, f"sweep.sampler={name}", "sweep.trials=12", "sweep.seed=5")
    whole = searched(made(tiny, *words), tmp_path / "whole", 12, 4)
    half = searched(made(tiny, *words), tmp_path / "cut", 8, 4)
    rest = searched(made(tiny, *words), tmp_path / "cut", 12, 4, past=tuple(half))
    assert [trial.overrides for trial in rest] == [trial.overrides for trial in whole]
    other = searched(made(tiny, *words[:-1], "sweep.seed=6"), tmp_path / "other", 4, 4)
    assert [trial.overrides for trial in other] != [trial.overrides for trial in whole[:4]]


def test_what_is_previewed_is_what_is_asked(tiny: str, tmp_path: Path) -> None:
    sampler = made(tiny, *AXES, "sweep.sampler=tpe", "sweep.trials=4")
    sampler.begin(())
    preview = sampler.ask(range(4))
    assert not (tmp_path / "s").exists()
    assert [list(trial.overrides) for trial in searched(sampler, tmp_path / "s", 4, 4)] == preview


def test_a_sobol_sequence_puts_one_point_into_each_part(tiny: str, tmp_path: Path) -> None:
    sampler = made(tiny, *AXES, "seed=0,1", "sweep.sampler=qmc", "sweep.trials=16", "sweep.seed=3")
    found = [values(trial.overrides) for trial in searched(sampler, tmp_path / "s", 16, 5)]
    sixteenths = sorted(int(float(trial[MASK]) * 16 + 1e-4) for trial in found)
    assert len(set(sixteenths)) >= 15  # the shift may move two points next to a border
    assert sum(trial["seed"] == "0" for trial in found) == pytest.approx(8, abs=1)


def test_axes_become_laws_of_their_kind_and_only_active_ones_are_asked(tiny: str, tmp_path: Path) -> None:
    Path("recipe.yaml").write_text(
        Path(tiny).read_text()
        + "sweep:\n  space:\n    optimizer: adam,sgd\n    optimizer.momentum: {values: 'interval(0.5,0.9)', "
        "when: {optimizer.type: sgd}}\n    optimizer.learning_rate: log(interval(1e-4,1e-1))\n    seed: range(0,9,3)\n"
        "    data.batch_size: int(interval(16,32))\n"
    )
    sampler = made("./recipe.yaml", "sweep.sampler=tpe", "sweep.trials=24")

    def score(found: Mapping[str, str]) -> tuple[float, ...]:
        assert ("optimizer.momentum" in found) == (found["optimizer"] == "sgd")
        return bowl({RATE: found[RATE]})

    trials = searched(sampler, tmp_path / "s", 24, 8, score)
    assert {values(trial.overrides)["seed"] for trial in trials} == {"0", "3", "6"}
    for kept in study_of(tmp_path / "s"):
        laws = kept.distributions
        assert ("optimizer.momentum" in laws) == (kept.params["optimizer"] == "sgd")
        assert laws[RATE] == optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)
        assert laws["optimizer"] == optuna.distributions.CategoricalDistribution(["adam", "sgd"])
        assert laws["seed"] == optuna.distributions.IntDistribution(0, 6, step=3)
        assert laws["data.batch_size"] == optuna.distributions.IntDistribution(16, 32)


def test_zipped_axes_are_one_choice(tiny: str, tmp_path: Path) -> None:
    words = (f"{RATE}=0.1,0.2", f"{MASK}=0.3,0.4", f"sweep.zip=[[{RATE},{MASK}]]", "sweep.sampler=tpe")
    found = searched(made(tiny, *words, "sweep.trials=12"), tmp_path / "s", 12, 4)
    assert {trial.overrides for trial in found} == {
        (f"{RATE}=0.1", f"{MASK}=0.3"),
        (f"{RATE}=0.2", f"{MASK}=0.4"),
    }


def test_several_objectives_are_told_with_their_directions(tiny: str, tmp_path: Path) -> None:
    words = ("sweep.objective=[valid.loss,valid.accuracy]", "sweep.direction=[minimize,maximize]")
    sampler = made(tiny, *AXES, *words, "sweep.sampler=nsga2", "sweep.trials=4")
    searched(sampler, tmp_path / "s", 4, 4, lambda found: (*bowl(found), 0.5))
    assert [len(kept.values) for kept in study_of(tmp_path / "s")] == [2] * 4


def test_the_study_learns_how_each_trial_ended(tiny: str, tmp_path: Path) -> None:
    sampler = made(tiny, *AXES, "sweep.sampler=tpe", "sweep.trials=5")
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "values.jsonl").write_text('{"step": 10, "values": {"1": 0.7}}\n')
    sampler.open(folder)
    words = [tuple(found) for found in sampler.ask(range(5))]
    endings = ("done", "pruned", "failed", "non_finite", "running")
    sampler.tell(
        [Trial(number, words[number], ending, (0.5,) if number == 0 else None) for number, ending in enumerate(endings)]
    )
    # Told twice, as another process may have: nothing changes. And the one that had failed was tried again.
    sampler.tell([Trial(0, words[0], "done", (0.5,)), Trial(2, words[2], "done", (0.4,))])
    sampler.close()
    kept = study_of(folder)
    states = [trial.state.name for trial in kept]
    assert states == ["COMPLETE", "PRUNED", "FAIL", "COMPLETE", "RUNNING", "COMPLETE"]
    assert (kept[0].value, kept[1].intermediate_values, kept[3].value, kept[5].value) == (
        0.5, {10: 0.7}, math.inf, 0.4,
    )  # fmt: skip
    assert kept[5].params == pytest.approx(kept[2].params, rel=1e-5)


def test_a_trial_that_never_reached_the_ledger_is_failed(tiny: str, tmp_path: Path) -> None:
    words = (*AXES, "sweep.sampler=tpe", "sweep.trials=4")
    first, folder = made(tiny, *words), tmp_path / "s"
    folder.mkdir()
    first.open(folder)
    first.ask(range(2))
    first.close()
    # The process died here: the ledger has trial 0 alone.
    second = made(tiny, *words)
    second.open(folder)
    second.begin([Trial(0, (f"{RATE}=0.01", f"{MASK}=0.5"), "running")])
    assert len(second.ask(range(1, 4))) == 3
    second.close()
    assert [trial.state.name for trial in study_of(folder)] == ["RUNNING", "FAIL", *["RUNNING"] * 3]


def test_a_study_that_is_lost_is_made_again_from_the_ledger(tiny: str, tmp_path: Path) -> None:
    words = (*AXES, "seed=range(4)", "sweep.sampler=tpe", "sweep.trials=12")
    past = searched(made(tiny, *words), tmp_path / "s", 6, 6)
    (tmp_path / "s" / "study.sqlite").unlink()
    searched(made(tiny, *words), tmp_path / "s", 12, 6, past=tuple(past))
    kept = study_of(tmp_path / "s")
    assert [trial.value for trial in kept[:6]] == pytest.approx([trial.values[0] for trial in past if trial.values])
    assert kept[0].params[RATE] == float(values(past[0].overrides)[RATE])
    assert kept[0].params["seed"] == int(values(past[0].overrides)["seed"])


def test_what_a_machine_that_is_gone_had_asked_for_is_proposed_again(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "HEARTBEAT_S", 1)
    monkeypatch.setattr(studies, "GONE_S", 1)
    storage = f"sweep.storage=sqlite:///{tmp_path / 'shared.sqlite'}"
    words = (*AXES, "sweep.sampler=tpe", "sweep.trials=4", storage, "sweep.study=ours")
    gone, there = made(tiny, *words), made(tiny, *words)
    for name, sampler in (("gone", gone), ("there", there)):
        (tmp_path / name).mkdir()
        sampler.open(tmp_path / name)
    assert (len(gone.ask(range(3))), len(there.ask(range(3)))) == (3, 1)
    gone.close()
    time.sleep(3)  # the database counts whole seconds
    there.begin([Trial(0, (f"{RATE}=0.1",), "running")])
    assert len(there.ask(range(1, 4))) == 3
    there.close()


def test_folders_that_share_a_study_share_its_trials(tiny: str, tmp_path: Path) -> None:
    storage = f"sweep.storage=sqlite:///{tmp_path / 'shared.sqlite'}"
    words = (*AXES, "sweep.sampler=tpe", "sweep.trials=8", storage, "sweep.study=ours")
    one, two = made(tiny, *words), made(tiny, *words)
    for name, sampler in (("one", one), ("two", two)):
        (tmp_path / name).mkdir()
        sampler.open(tmp_path / name)
    mine, others = one.ask(range(5)), two.ask(range(5))
    assert (len(mine), len(others)) == (5, 3)
    assert not {tuple(found) for found in mine} & {tuple(found) for found in others}
    assert one.ask(range(5, 8)) == []
    one.tell([Trial(0, tuple(mine[0]), "failed")])
    two.begin([Trial(number, tuple(found), "running") for number, found in enumerate(others)])
    assert len(two.ask(range(3, 8))) == 1  # in place of the one that failed elsewhere
    one.close()
    two.close()
