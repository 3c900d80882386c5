"""The states of several members as one pytree, with members on the first axis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from framework.build.state import State
from framework.checkpoint import Checkpoints, slices
from framework.core.trees import named_leaves
from framework.train.setup import Setup


def stacked_states(setup: Setup, runs: Sequence[Path], which: str = "best") -> State:
    """The states of runs that have the network of `setup`.

    Members of a group lie in one set of arrays, which is read and verified once.

    Args:
      setup: of one of the runs.
      runs: run directories.
      which: `best`, where one was marked, or `last`.

    Raises:
      RunError: a run has no undamaged checkpoint, or another network or optimizer.
    """
    like = jax.eval_shape(setup.abstract.init)
    found: list[dict[str, np.ndarray]] = []
    try:
        for run in runs:
            with Checkpoints(run / "checkpoints", keep=1, asynchronous=False) as checkpoints:
                step = checkpoints.best() if which == "best" else None
                found.append(checkpoints.read(step, like)[0])
    finally:
        slices.forget()
    leaves: list[Any] = [jnp.asarray(np.stack([arrays[name] for arrays in found])) for name in named_leaves(like)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)
