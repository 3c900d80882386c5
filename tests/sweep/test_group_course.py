"""What happens to the members of a group on the way: stops, prunings, copies, signals, failures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from directing import Recorder, log, make_members, result

from framework.checkpoint import CheckpointWarning
from framework.core.errors import ConfigError, Interrupted, RunError
from framework.sweep.members import Copy, Stop, Verdict
from framework.sweep.sequential import run_group as one_by_one
from framework.sweep.vectorized import NotTogetherError, run_group
from framework.train.saved import setup_of, state_of
from framework.train.stages import run

RECIPE = str(Path(__file__).parent / "recipes" / "small_mlp.yaml")
RATES = [["optimizer.learning_rate=1e-4"], ["optimizer.learning_rate=1e-2"], ["seed=5"]]


def _kernel(path: Path, which: str | int = "last") -> np.ndarray:
    return np.asarray(state_of(setup_of(path), path, which, None).params["hidden"]["kernel"])


def _loss(path: Path) -> float:
    return result(path)["metrics"]["test"]["loss"]


def test_a_member_is_an_ordinary_run(tmp_path: Path) -> None:
    members = make_members(tmp_path, RECIPE, ["run.stages=[train,evaluate,predict]"], RATES)
    run_group(members, Recorder())
    for member in members:
        outcome = run(member.loaded)
        assert outcome.skipped == ("train", "evaluate", "predict")
        assert set(result(member.path)["metrics"]["test"]) == {"loss", "accuracy", "f1", "confusion"}
        outputs = np.load(member.path / "predictions" / "test.npz")["logits"]
        again = setup_of(member.path).evaluator.predict_split(
            state_of(setup_of(member.path), member.path, "best", None), "test"
        )
        np.testing.assert_allclose(outputs, again["logits"], rtol=1e-6)
        assert (
            int(state_of(setup_of(member.path), member.path, "best", None).step) == result(member.path)["best"]["step"]
        )


def test_a_record_reaches_the_director_and_the_log(tmp_path: Path) -> None:
    members = make_members(tmp_path, RECIPE, [], RATES)
    recorder = Recorder()
    run_group(members, recorder)
    for member in members:
        assert log(member.path) == recorder.records[member.number]
    assert recorder.begun == [0, 1, 2]


def test_an_early_stop_is_each_members_own(tmp_path: Path) -> None:
    early = ["trainer.early_stop={monitor: valid.loss, mode: min, patience: 1, min_delta: 0.005}"]
    members = make_members(
        tmp_path, RECIPE, early, [["optimizer.learning_rate=1e-6"], ["optimizer.learning_rate=1e-2"]]
    )
    run_group(members, Recorder())
    stopped, whole = (result(member.path) for member in members)
    assert stopped["finished"] == "valid.loss did not improve in 1 validations"
    assert (stopped["step"], whole["step"]) == (4, 8)
    assert [record["step"] for record in log(members[0].path)] == [2, 2, 4, 4]
    assert int(state_of(setup_of(members[0].path), members[0].path, "last", None).step) == 4


def test_a_pruned_member_keeps_its_state_and_can_go_on(tmp_path: Path) -> None:
    def prune(step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        return {1: Stop("behind the median")} if step == 4 else {}

    members = make_members(tmp_path / "pruned", RECIPE, [], RATES)
    recorder = Recorder(prune)
    run_group(members, recorder)
    whole = make_members(tmp_path / "whole", RECIPE, [], RATES)
    run_group(whole, Recorder())

    assert recorder.endings[1].status == "pruned"
    assert recorder.endings[1].error == "behind the median"
    assert [sorted(values) for _, values in recorder.reviewed] == [[0, 1, 2], [0, 1, 2], [0, 2]]
    assert log(members[1].path) == [record for record in log(whole[1].path) if record["step"] <= 4]
    assert result(members[0].path) == result(whole[0].path)

    taken_up = Recorder()
    run_group(members[1:2], taken_up)
    assert taken_up.endings[1].status == "done"
    # A group of another size is another program, whose last digits may differ.
    assert _loss(members[1].path) == pytest.approx(_loss(whole[1].path), rel=1e-5)
    assert log(members[1].path) == log(whole[1].path)


def test_a_copy_goes_on_from_the_weights_of_another_with_its_own_key(tmp_path: Path) -> None:
    def exploit(step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        return {0: Copy(1, {"optimizer.learning_rate": 0.0})} if step == 4 else {}

    members = make_members(tmp_path, RECIPE, ["checkpoint.monitor=null"], RATES[:2])
    kept: dict[int, float] = {}

    def review(step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        kept[step] = values[1]["valid.loss"]
        return exploit(step, values)

    recorder = Recorder(review)
    run_group(members, recorder)
    # Without a learning rate the copy stays what the other was at step 4.
    last = [record["loss"] for record in log(members[0].path) if record["split"] == "valid"][-1]
    assert last == kept[4]
    assert not np.array_equal(_kernel(members[0].path), _kernel(members[1].path))


@pytest.mark.parametrize("after", [1, 2])
def test_a_group_that_a_signal_stopped_goes_on_bitwise(tmp_path: Path, after: int) -> None:
    whole = make_members(tmp_path / "whole", RECIPE, [], RATES)
    run_group(whole, Recorder())
    members = make_members(tmp_path / "cut", RECIPE, [], RATES)
    asked = iter([None] * after + ["SIGTERM"] * 100)
    with pytest.raises(Interrupted, match=r"SIGTERM: saved at step \d; the same command"):
        run_group(members, Recorder(stop=lambda: next(asked)))
    assert not (members[0].path / "result.json").exists()
    run_group(members, Recorder())
    for one, two in zip(members, whole, strict=True):
        assert (one.path / "metrics.jsonl").read_bytes() == (two.path / "metrics.jsonl").read_bytes()
        assert result(one.path) == result(two.path)
        np.testing.assert_array_equal(_kernel(one.path), _kernel(two.path))


def test_a_member_that_was_cut_in_a_group_goes_on_alone(tmp_path: Path) -> None:
    whole = make_members(tmp_path / "whole", RECIPE, [], RATES)
    run_group(whole, Recorder())
    members = make_members(tmp_path / "cut", RECIPE, [], RATES)
    asked = iter([None, "SIGTERM"])
    with pytest.raises(Interrupted):
        run_group(members, Recorder(stop=lambda: next(asked)))
    run(members[1].loaded)
    assert _loss(members[1].path) == pytest.approx(_loss(whole[1].path), rel=1e-5)
    np.testing.assert_array_equal(_kernel(members[1].path), _kernel(whole[1].path))


def test_a_member_whose_loss_explodes_ends_alone(tmp_path: Path) -> None:
    members = make_members(tmp_path, RECIPE, ["optimizer=sgd"], [["optimizer.learning_rate=1e30"], *RATES[1:]])
    recorder = Recorder()
    run_group(members, recorder)
    assert [recorder.endings[number].status for number in range(3)] == ["non_finite", "done", "done"]
    assert "loss became" in recorder.endings[0].error
    assert "fix:       lower optimizer.learning_rate" in recorder.endings[0].error
    assert not (members[0].path / "result.json").exists()


def test_without_checkpoints_nothing_but_results_is_kept(tmp_path: Path) -> None:
    members = make_members(tmp_path, RECIPE, ["checkpoint=none"], RATES)
    run_group(members, Recorder())
    assert not (tmp_path / "groups").exists()
    assert {entry.name for entry in members[0].path.iterdir() if not entry.name.startswith(".")} == {
        "config.yaml", "data.json", "environment.json", "metrics.jsonl", "result.json", "stages.json"
    }  # fmt: skip


def test_without_checkpoints_the_last_state_is_evaluated_as_alone(tmp_path: Path) -> None:
    shared = ["checkpoint.enabled=false", "parallel=single", "trainer.steps=24", "optimizer.learning_rate=0.3"]
    members = make_members(tmp_path / "group", RECIPE, shared, [[]])
    recorder = Recorder()
    run_group(members, recorder)
    alone = make_members(tmp_path / "alone", RECIPE, shared, [[]])[0]
    run(alone.loaded)
    assert result(members[0].path)["best"]["step"] < 24
    assert result(members[0].path)["evaluated_step"] == result(alone.path)["evaluated_step"] == 24
    assert _loss(members[0].path) == pytest.approx(_loss(alone.path), rel=1e-5)
    last = [record["loss"] for record in log(alone.path) if record["split"] == "valid"][-1]
    assert recorder.endings[0].metrics["valid.loss"] == pytest.approx(last, rel=1e-5)


def test_a_moving_average_and_streams_of_one_seed_are_each_members_own(tmp_path: Path) -> None:
    each = [["trainer.ema_decay=0.5"], ["trainer.ema_decay=0.9"]]
    members = make_members(tmp_path / "group", RECIPE, [], each)
    run_group(members, Recorder())
    for number, own in enumerate(each):
        alone = make_members(tmp_path / f"alone{number}", RECIPE, ["parallel=single"], [own])[0]
        run(alone.loaded)
        for mine, other in zip(log(members[number].path), log(alone.path), strict=True):
            assert mine.pop("split") == other.pop("split")
            assert mine == pytest.approx(other, rel=1e-5)


def test_arrays_that_lie_with_the_group_are_missed_in_words(tmp_path: Path) -> None:
    members = make_members(tmp_path / "sweep", RECIPE, [], RATES[:1])
    run_group(members, Recorder())
    moved = tmp_path / "moved"
    members[0].path.rename(moved)
    told = pytest.warns(CheckpointWarning, match="a member of a sweep is kept with the folder of the sweep")
    with told, pytest.raises(RunError, match="no undamaged checkpoint"):
        state_of(setup_of(moved), moved, "last", None)


@pytest.mark.parametrize(
    "override, words",
    [
        ("parallel=data", "parallel=data lays each member out over several devices"),
        ("data.resident=false", "the split 'train' is streamed"),
    ],
)
def test_what_cannot_run_together_is_told_before_anything_starts(tmp_path: Path, override: str, words: str) -> None:
    members = make_members(tmp_path, RECIPE, [override], RATES)
    recorder = Recorder()
    with pytest.raises(NotTogetherError, match=words):
        run_group(members, recorder)
    assert recorder.begun == []
    assert not members[0].path.exists()


def test_a_mistake_in_the_recipe_is_told_before_anything_starts(tmp_path: Path) -> None:
    members = make_members(tmp_path, RECIPE, ["run.evaluate_splits=[tset]"], RATES)
    with pytest.raises(ConfigError, match="the data has no split 'tset'"):
        run_group(members, Recorder())
    assert not members[0].path.exists()


def test_members_one_after_another_are_stopped_before_their_end_alone(tmp_path: Path) -> None:
    members = make_members(tmp_path, RECIPE, ["parallel=single"], RATES[:2])
    recorder = Recorder(lambda step, values: {1: Stop("behind")} if step == 4 and 1 in values else {})
    one_by_one(members, recorder)
    assert [recorder.endings[number].status for number in range(2)] == ["done", "pruned"]
    assert {step for step, _ in recorder.reviewed} == {2, 4, 6}
