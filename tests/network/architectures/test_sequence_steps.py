"""Networks for sequences, tables and recommendations train, and a few of their claims hold."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from architecture_cases import Small
from sequence_cases import SMALL
from test_architecture_steps import made_up, written

import framework
from framework.core.trees import named_leaves

HERE = Path(__file__).parent
WHOLE = {"tokens": 7, "targets": 7, "segments": 2, "real": 2, "categories": 3, "user": 5, "item": 4, "label": 2}


def experiment(case: Small, folder: Path) -> framework.Experiment:
    path = written(case, folder, WHOLE)
    return framework.load("arrays", [f"data.path={path}", *case.overrides], config_dirs=[HERE])


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.network)
def test_one_step_moves_the_parameters(case: Small, tmp_path: Path) -> None:
    built = experiment(case, tmp_path)
    start = made_up(jax.eval_shape(built.init, 0))
    state, logs = jax.jit(built.step)(start, built.batch(0))
    assert np.isfinite(logs["loss"])
    assert int(state.step) == 1
    before, after = named_leaves(start.params), named_leaves(state.params)
    assert all(np.isfinite(leaf).all() for leaf in after.values())
    still = {name for name, leaf in before.items() if (leaf == after[name]).all()}
    assert len(still) <= len(before) / 4, still
