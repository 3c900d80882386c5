"""What the stages of a run leave, in the same words whether the run was alone or a member of a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.build.state import State
from framework.config.schema.root import Config
from framework.train.evaluation import Evaluator
from framework.train.progress import Progress


def trained(config: Config, step: int, parameters: int, seconds: float, progress: Progress) -> dict[str, Any]:
    """What `result.json` and `stages.json` say of training."""
    return {
        "step": step,
        "parameters": parameters,
        "seconds": round(seconds, 3),
        "finished": progress.reason,
        "best": {"step": progress.best_step, config.checkpoint.monitor: progress.best},
    }


def evaluated(metrics: Mapping[str, Any], step: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `result.json` and what `stages.json` say of an evaluation at a step."""
    return {"metrics": dict(metrics), "evaluated_step": step}, {"step": step, "splits": list(metrics)}


def predicted(
    evaluator: Evaluator, state: State, splits: Sequence[str], folder: Path, *, writes: bool = True
) -> dict[str, Any]:
    """Write the outputs for splits to `<folder>/predictions/<split>.npz`; gives what `stages.json` says of them.

    Args:
      writes: of several processes that compute the outputs together, whether this is the one that keeps them.
    """
    names = [f"predictions/{split}.npz" for split in splits]
    for split, name in zip(splits, names, strict=True):
        if writes:
            (folder / name).parent.mkdir(exist_ok=True)
        outputs: dict[str, Any] = evaluator.predict_split(state, split)
        if writes:
            np.savez(folder / name, **outputs)
    return {"step": int(state.step), "files": names}
