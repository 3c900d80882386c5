"""Every architecture trains: one step of a reduced size, from a recipe to a new state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from architecture_cases import SMALL, Small

import framework
from framework.build.state import State
from framework.core.trees import named_leaves

HERE = Path(__file__).parent
WHOLE = {"label": 2, "regions": 2, "time": 1000}


def written(case: Small, folder: Path, whole: Mapping[str, int]) -> Path:
    """An NPZ file with 20 examples of the case's arrays: whole numbers below `whole[name]`, the others from 0 to 1."""
    draw = np.random.default_rng(0)
    arrays = {
        name: draw.integers(whole[name], size=(20, *shape)).astype(np.int32)
        if name in whole
        else draw.uniform(size=(20, *shape)).astype(np.float32)
        for name, shape in case.arrays.items()
    }
    path = folder / "arrays.npz"
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    return path


def experiment(case: Small, folder: Path) -> framework.Experiment:
    if not case.arrays:
        return framework.load("pictures", case.overrides, config_dirs=[HERE])
    path = written(case, folder, WHOLE)
    classes = ["data.classes=2"] if "label" in case.arrays else []
    return framework.load("arrays", [f"data.path={path}", *classes, *case.overrides], config_dirs=[HERE])


def made_up(state: State) -> State:
    """A state of these shapes without a program that draws it: small weights, none of them 0, and no moments."""
    draw = np.random.default_rng(0)

    def small(leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        return draw.uniform(-0.3 if leaf.ndim > 1 else 0.1, 0.3, leaf.shape).astype(leaf.dtype)

    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), state)
    return replace(zeros, params=jax.tree.map(small, state.params), collections=jax.tree.map(small, state.collections))


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.network)
def test_one_step_moves_the_parameters(case: Small, tmp_path: Path) -> None:
    built = experiment(case, tmp_path)

    step = jax.jit(built.step)
    start = made_up(jax.eval_shape(built.init, 0))
    state, logs = step(start, built.batch(0))
    assert np.isfinite(logs["loss"])
    assert int(state.step) == 1
    before, after = named_leaves(start.params), named_leaves(state.params)
    assert all(np.isfinite(leaf).all() for leaf in after.values())
    moved = [name for name, leaf in before.items() if (leaf != after[name]).any()]
    assert len(moved) > len(before) / 2, set(before) - set(moved)
