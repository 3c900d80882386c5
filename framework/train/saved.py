"""A run directory read back: its recipe, its data as it was scaled, and a state out of its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.build.state import State
from framework.checkpoint import Checkpoints
from framework.config.compose import load_file
from framework.core.errors import Problem, RunError
from framework.core.words import closest
from framework.data.schedule import eval_batches, schedule_of
from framework.train.directory import RunDirectory
from framework.train.keeping import restored
from framework.train.setup import Setup


def setup_of(path: Path, *, trust: Sequence[str] = ()) -> Setup:
    """The recipe of a run with the statistics that it was trained with. Nothing named in the files is executed unless
    `trust` admits it.

    Raises:
      RunError: there is no run.
    """
    home = RunDirectory.open(path)
    return Setup(load_file(home.config, trust=trust), facts=home.read("data.json"), elsewhere=True)


def state_of(setup: Setup, path: Path, which: str | int, trained: State | None) -> State:
    """A state out of a run: `best` (the last where none was marked), `last` or a step.

    Args:
      trained: the state to give where the run keeps no checkpoints.

    Raises:
      RunError: there is no such checkpoint, or it is damaged.
    """
    section = setup.config.checkpoint
    company = setup.company
    if not company.tell("whether there are checkpoints", lambda: RunDirectory.open(path).checkpoints.is_dir()):
        if trained is not None:
            return trained
        raise RunError(
            Problem(
                key=str(path), found="holds no checkpoint", expected="a run that was trained", fix=f"run.dir={path}"
            )
        )
    with Checkpoints(path / "checkpoints", keep=section.keep) as checkpoints:
        step = company.tell("the step", lambda: _step(checkpoints, which))
        state, _ = restored(company, checkpoints, step, setup.strategy, setup.shapes)
    return setup.strategy.plain_state(setup.strategy.place_state(state))


def _step(checkpoints: Checkpoints, which: str | int) -> int | None:
    if which == "best":
        return checkpoints.best()
    if isinstance(which, str) and which != "last" and not which.isdecimal():
        near = closest(which, ("best", "last")) or "best"
        raise RunError(
            Problem("checkpoint", f"unknown value {which!r}", "best, last, or the number of a step", fix=repr(near))
        )
    return None if which == "last" else int(which)


def batch(setup: Setup, step: int, split: str) -> dict[str, Any]:
    """The batch of a step, as host arrays with their mask."""
    data, source = setup.config.data, setup.dataset.splits[split]
    if split == "train":
        indices = schedule_of(data, source, setup.config.seed).indices(step)
    else:
        blocks = eval_batches(len(source), data.eval_batch_size or data.batch_size)
        indices = blocks[step % len(blocks)]
    return dict(source.take(np.maximum(indices, 0))) | {"mask": (indices >= 0).astype(np.float32)}
