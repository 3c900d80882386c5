"""Members that are trained as one program end as each does alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from directing import Recorder, log, make_members, result

from framework.config.compose import load
from framework.sweep.vectorized import run_group
from framework.train.saved import setup_of, state_of
from framework.train.stages import run

RECIPES = Path(__file__).parent / "recipes"
# The last digits are alike where both are compiled with all of XLA's effort, whatever the other tests are given.
MLP = ("digits_mlp", ("trainer.epochs=2", "data.batch_size=256", "trainer.compile=max"))
CNN = (
    str(RECIPES / "small_cnn.yaml"),
    ("trainer.steps=6", "trainer.validate_every_steps=3"),
)
TRANSFORMER = (str(RECIPES / "small_transformer.yaml"), ("trainer.steps=6", "trainer.validate_every_steps=3"))
SWEPT = [[f"seed={seed}", f"optimizer.learning_rate={rate}"] for seed in range(4) for rate in (1e-4, 1e-3, 3e-3, 1e-2)]
CHECKED = {1: (2, 15), 4: (6,)}


def _outputs(path: Path) -> np.ndarray:
    setup = setup_of(path)
    outputs = setup.evaluator.predict_split(state_of(setup, path, "best", None), "test")
    return outputs["logits"]


@pytest.mark.slow
@pytest.mark.parametrize("recipe, shared", [MLP, CNN, TRANSFORMER], ids=["mlp", "cnn", "transformer"])
@pytest.mark.parametrize("width", [1, 4])
def test_each_of_sixteen_members_equals_the_same_run_alone(
    tmp_path: Path, recipe: str, shared: tuple[str, ...], width: int
) -> None:
    members = make_members(tmp_path / "sweep", recipe, shared, SWEPT)
    recorder = Recorder()
    run_group(members, recorder, width=width)
    assert {ending.status for ending in recorder.endings.values()} == {"done"}
    assert len(recorder.endings) == len(SWEPT)
    for number in CHECKED[width]:
        alone = tmp_path / "alone" / str(number)
        run(load(recipe, [*shared, "report=quiet", "checkpoint.keep=1", *SWEPT[number], f"run.dir='{alone}'"]))
        exact = recipe == MLP[0] and width == 1
        _assert_alike(log(members[number].path), log(alone), exact=exact)
        _assert_alike([result(members[number].path)], [result(alone)], exact=exact)
        mine, other = _outputs(members[number].path), _outputs(alone)
        assert (mine.argmax(-1) == other.argmax(-1)).mean() >= 0.999
        if exact:
            np.testing.assert_array_equal(mine, other)


def _assert_alike(mine: Any, other: Any, *, exact: bool) -> None:
    """Bitwise where the compiler makes the same kernels in both programs, else to 1e-4."""
    if exact:
        assert mine == other
        return
    assert jax.tree.structure(mine) == jax.tree.structure(other)
    for one, two in zip(jax.tree.leaves(mine), jax.tree.leaves(other), strict=True):
        assert one == two if isinstance(two, str) else one == pytest.approx(two, rel=1e-4, abs=1e-5)
