"""Run by the tests in a process with eight virtual devices: trains one model under each layout and writes what came.

    python battery.py FOLDER MODEL

For each layout, FOLDER gets `<layout>.npz` (the final state by path) and `<layout>.json` (the records of training, the
results on every split, how the state lay).
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np
from layouts import LAYOUTS, RECIPES, overrides

import framework as fw
from framework.core.trees import named_leaves
from framework.parallel.choose import LayoutWarning


def outcome(experiment: fw.Experiment, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Train, and evaluate every split."""
    result = experiment.train(folder)
    state = {name: np.asarray(leaf) for name, leaf in named_leaves(result.state).items()}
    setup = experiment._setup
    report = {
        "layout": setup.strategy.name,
        "devices": len(setup.strategy.devices),
        "history": result.history,
        "splits": {split: experiment.evaluate(split) for split in ("valid", "test")},
        "rows": {split: len(source) for split, source in setup.dataset.splits.items()},
        "predicted": outputs(experiment),
        "specs": {name: spec_of(leaf) for name, leaf in named_leaves(result.state).items()},
        "pieces": sum(leaf.addressable_shards[0].data.nbytes for leaf in jax.tree.leaves(result.state)),
    }
    return state, report


def outputs(experiment: fw.Experiment) -> list[Any]:
    """The outputs for a split whose rows no number of devices divides."""
    setup = experiment._setup
    assert experiment.state is not None
    return next(iter(setup.evaluator.predict_split(experiment.state, "test").values())).tolist()


def spec_of(leaf: jax.Array) -> str:
    """The partition of an array, as JAX tells it."""
    return str(getattr(leaf.sharding, "spec", "whole"))


def main(folder: Path, model: str) -> None:
    """Write the outcome of each layout."""
    warnings.simplefilter("error")
    # Even a bias of four numbers is to be divided; that it cannot be is told, and tested elsewhere.
    warnings.simplefilter("ignore", LayoutWarning)
    jax.config.update("jax_default_matmul_precision", "highest")
    for layout in ("single", *LAYOUTS):
        experiment = fw.load(str(RECIPES / f"{model}.yaml"), overrides(layout))
        state, report = outcome(experiment, folder / f"run_{layout}")
        np.savez(folder / f"{layout}.npz", **state)
        (folder / f"{layout}.json").write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
