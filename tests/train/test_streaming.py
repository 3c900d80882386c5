"""A run that streams its rows from the disk is the run that keeps them on the device, to the bit, also when resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from framework.config.compose import load
from framework.train.loop import Loop
from framework.train.progress import Progress
from framework.train.runner import Runner
from framework.train.setup import Setup


def made(folder: Path, *overrides: str) -> Setup:
    common = ("data=npy", f"data.path={folder}", "data.classes=3", "data.batch_size=8", "checkpoint.monitor=null")
    # 53 training rows in batches of 8: an epoch's last batch is short.
    split = "data.split={type: fraction, valid: 0.117, test: 0}"
    return Setup(load("wine_mlp", [*common, split, "trainer.epochs=null", "trainer.steps=40", *overrides]))


def trained(setup: Setup, *, pieces: tuple[int, ...]) -> Any:
    """The parameters after all pieces, each with a runner of its own, as after a restart."""
    state, step = setup.strategy.place_state(setup.experiment.init()), 0
    for piece in pieces:
        runner = Runner(setup.experiment, setup.dataset, setup.strategy)
        ahead = replace(setup.experiment, total_steps=step + piece)
        state = Loop(ahead, runner, None, state, Progress(), [], None, step).run()
        runner.close()
        step += piece
    return jax.tree.map(np.asarray, state.params)


def test_streamed_resident_and_resumed_are_bitwise_equal(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    np.save(tmp_path / "features.npy", generator.normal(size=(60, 13)))
    np.save(tmp_path / "label.npy", np.arange(60) % 3)
    resident = trained(made(tmp_path, "data.resident=true"), pieces=(40,))
    got = trained(made(tmp_path, "data.resident=false"), pieces=(11, 29))
    assert [leaf.tobytes() for leaf in jax.tree.leaves(got)] == [leaf.tobytes() for leaf in jax.tree.leaves(resident)]
