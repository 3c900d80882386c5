"""Every architecture trains: one step of a reduced size, from a recipe to a new state."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from architecture_cases import SMALL, Small

import framework
from framework.core.trees import named_leaves

HERE = Path(__file__).parent
# What is tested is that the step can be built and computes, and nearly all of the time goes into compiling it. Small
# loops by LLVM alone, without MLIR before it, take less than half as long.
QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
WHOLE = {"label": 2, "regions": 2, "time": 1000}
# Their output starts with zeros, so that the first step moves the output alone, or little else.
BEHIND_ZEROS = {"vit_b16", "mlp_mixer", "ddpm_unet"}


def experiment(case: Small, folder: Path) -> framework.Experiment:
    if not case.arrays:
        return framework.load("pictures", case.overrides, config_dirs=[HERE])
    draw = np.random.default_rng(0)
    arrays = {
        name: draw.integers(WHOLE[name], size=(20, *shape)).astype(np.int32)
        if name in WHOLE
        else draw.uniform(size=(20, *shape)).astype(np.float32)
        for name, shape in case.arrays.items()
    }
    path = folder / "arrays.npz"
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    classes = ["data.classes=2"] if "label" in arrays else []
    return framework.load("arrays", [f"data.path={path}", *classes, *case.overrides], config_dirs=[HERE])


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.network)
def test_one_step_moves_the_parameters(case: Small, tmp_path: Path) -> None:
    built = experiment(case, tmp_path)

    # Two programs: as one, the initialisers would be merged into all that reads the weights.
    start = jax.jit(built.init, compiler_options=QUICK)(np.uint32(0))
    state, logs = jax.jit(built.step, compiler_options=QUICK)(start, built.batch(0))
    assert np.isfinite(logs["loss"])
    assert int(state.step) == 1
    before, after = named_leaves(start.params), named_leaves(state.params)
    assert all(np.isfinite(leaf).all() for leaf in after.values())
    moved = {name for name, leaf in before.items() if (np.asarray(leaf) != after[name]).any()}
    assert len(moved) > (0 if case.network in BEHIND_ZEROS else len(before) / 2)
