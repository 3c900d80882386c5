"""Losses and metrics of a run that is on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.train.saved import setup_of, state_of


@dataclass(frozen=True)
class Evaluation:
    """What a checkpoint comes to.

    Attributes:
      step: the checkpoint's step.
      metrics: split -> loss or metric -> number, or rows of a matrix.
      class_names: of the data, where it has classes.
    """

    step: int
    metrics: dict[str, dict[str, Any]]
    class_names: tuple[str, ...] | None


def evaluate_run(
    path: Path, splits: Sequence[str], checkpoint: str | int = "best", *, trust: Sequence[str] = ()
) -> Evaluation:
    """Evaluate a checkpoint of a run on splits of its data.

    Args:
      path: the run directory.
      checkpoint: `best`, `last` or a step.
      trust: prefixes of the user's own modules.

    Raises:
      RunError: there is no such run or checkpoint.
      ConfigError: the data has no such split.
      DataError: the data is no longer there.
    """
    setup = setup_of(path, trust=trust)
    known = setup.dataset.splits
    unknown = [split for split in splits if split not in known]
    if unknown:
        raise ConfigError(
            Problem(
                "--split",
                f"unknown value '{split}'",
                expected=listed(known),
                fix=f"--split {closest(split, known) or next(iter(known))}",
            )
            for split in unknown
        )
    state = state_of(setup, path, checkpoint, None)
    metrics = {split: setup.evaluator.evaluate(state, split) for split in splits}
    return Evaluation(int(state.step), metrics, setup.dataset.classes)
