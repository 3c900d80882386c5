"""Sweeps from Python: the space, the table, and all trained states together."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import framework as fw
from framework.config.compose import load
from framework.sweep.hparams import hparams
from framework.sweep.values import overrides_of

RECIPE = str(Path(__file__).parent / "recipes" / "small_mlp.yaml")
FLOWERS = np.random.default_rng(0).normal(size=(70, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> fw.SweepResult:
    """Two widths with two seeds each."""
    space = {"network.layers.hidden.dense.features": [4, 8], "seed": range(2)}
    return fw.sweep(RECIPE, space, directory=tmp_path_factory.mktemp("library") / "sweep")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (fw.log_uniform(1e-4, 1e-1), "log(interval(0.0001,0.1))"),
        (fw.uniform(16, 128), "interval(16,128)"),
        (fw.choice("adam", "lion"), "adam,lion"),
        (fw.choice(3), "choice(3)"),
        (range(3), "0,1,2"),
        (np.array([0.5, 1.0]), "0.5,1"),
        ([None, True, [1, 2]], "null,true,[1, 2]"),
        ("log(interval(1,2))", "log(interval(1,2))"),
        (7, "7"),
    ],
)
def test_values_are_spelled_in_hydras_grammar(value: object, text: str) -> None:
    assert overrides_of({"key": value}) == [f"key={text}"]


def test_an_ensemble_reads_a_file_as_it_reads_arrays(found: fw.SweepResult, tmp_path: Path) -> None:
    np.savez(tmp_path / "flowers.npz", features=FLOWERS)
    ensemble = found.ensemble()
    assert np.array_equal(ensemble.predict(tmp_path / "flowers.npz"), ensemble.predict(FLOWERS))


def test_trials_that_differ_in_seeds_alone_are_one_row_with_mean_and_deviation(found: fw.SweepResult) -> None:
    rows = found.repeated()
    key = "network.layers.hidden.dense.features"
    assert {row[key]: row["trials"] for row in rows} == {4: 2, 8: 2}
    for row in rows:
        losses = [trial["valid.loss"] for trial in found.table if trial[key] == row[key]]
        assert row["valid.loss"] == pytest.approx(np.mean(losses))
        assert row["valid.loss.deviation"] == pytest.approx(np.std(losses, ddof=1))
    assert rows[0]["valid.loss"] <= rows[1]["valid.loss"]


def test_the_package_of_the_same_name_stays_a_package_that_can_be_called() -> None:
    import framework.sweep.ledger as ledger

    assert ledger.Ledger.__module__ == "framework.sweep.ledger"
    with pytest.raises(fw.ConfigError, match="learning_rat"):
        fw.sweep(RECIPE, {"optimizer.learning_rat": [1, 2]})


def test_intervals_are_drawn_and_the_same_call_runs_nothing_again(tmp_path: Path) -> None:
    def call() -> fw.SweepResult:
        return fw.sweep(
            RECIPE, {"optimizer.learning_rate": fw.log_uniform(1e-3, 1e-1)}, trials=2, directory=tmp_path / "s"
        )

    first, again = call(), call()
    assert len(first) == len(again) == 2
    assert [row["seconds"] for row in again.table] == [row["seconds"] for row in first.table]
    assert all(1e-3 <= row["optimizer.learning_rate"] <= 1e-1 for row in first.table)


def test_the_table_begins_with_the_best_which_opens_as_an_experiment(found: fw.SweepResult) -> None:
    losses = [row["valid.loss"] for row in found.table]
    assert losses == sorted(losses)
    assert found.table[0] == found.best_trial
    assert found.best.evaluate("valid")["loss"] == pytest.approx(losses[0], rel=1e-5)
    assert found.command.startswith(f"fw run {RECIPE} network.layers.hidden.dense.features=")


def test_the_states_of_one_network_come_stacked_in_the_order_asked_for(found: fw.SweepResult) -> None:
    states = found.states([3, 2], "last")
    assert states.params["hidden"]["kernel"].shape == (2, 4, 8)
    assert states.step.tolist() == [8, 8]
    alone = fw.open_run(found.folder / "2", "last").state
    assert alone is not None
    jax.tree.map(np.testing.assert_array_equal, jax.tree.map(lambda leaf: leaf[1], states), alone)


def test_states_of_different_networks_are_refused_with_those_that_go_together(found: fw.SweepResult) -> None:
    with pytest.raises(fw.RunError, match=r"2 different networks\n.*one of trials=\[0, 1\]; trials=\[2, 3\]"):
        found.states()
    with pytest.raises(fw.RunError, match=r"trial 9 is not done\n.*0, 1, 2, 3"):
        found.states([9])


def test_an_ensemble_predicts_the_mean_of_its_members_probabilities(found: fw.SweepResult) -> None:
    ensemble = found.ensemble()
    assert (len(ensemble), repr(ensemble)) == (4, "<Ensemble of 4 trials, 2 networks>")
    alone = [jax.nn.softmax(fw.open_run(found.folder / str(each)).predict(FLOWERS)) for each in ensemble.trials]
    # 70 rows in batches of 32: the last one is filled up.
    np.testing.assert_allclose(ensemble.predict(FLOWERS), np.mean(alone, axis=0), atol=1e-6)


def test_an_ensemble_of_the_best_takes_the_best(found: fw.SweepResult) -> None:
    assert found.ensemble(2).trials == tuple(row["trial"] for row in found.table[:2])


def test_a_notebook_shows_the_trials_escaped(found: fw.SweepResult) -> None:
    html = found._repr_html_()
    assert html.count("<tr>") == 5
    assert "<th>valid.loss</th>" in html


def test_pandas_gets_the_table_and_its_absence_is_told(found: fw.SweepResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(fw.RunError, match=r"pip install 'framework\[pandas\]'"):
        found.to_pandas()


def test_pandas_has_a_row_for_each_trial(found: fw.SweepResult) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed (pip install 'framework[pandas]')")
    assert found.to_pandas()["trial"].tolist() == [row["trial"] for row in found.table]


def test_tensorboard_is_told_of_what_was_set_and_of_nothing_else() -> None:
    loaded = load("digits_mlp", ["optimizer=lion", "optimizer.learning_rate=1e-3", "seed=3", "report=quiet"])
    assert hparams(loaded) == {"optimizer": "lion", "optimizer.learning_rate": 1e-3, "seed": 3}
