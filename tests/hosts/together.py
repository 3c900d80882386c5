"""Run by the tests as one process of several: trains some models, each under a layout, and writes what came.

    python together.py FOLDER MODEL:LAYOUT[:streamed][:kept] ... [RUN]

Process 0 writes, for each case, `<case>.npz` (the final state by path) and `<case>.json` (records, results, outputs);
every process writes `<case>.rows<process>.json`: which rows of the data it asked for, by phase. Of a run directory,
process 0 writes `restored.npz`, the state that all processes together restored from it.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from cases import MORE, RECIPES, overrides

import framework as fw
from framework.checkpoint.leaves import to_host
from framework.config.compose import load
from framework.data.dataset import View
from framework.parallel.choose import LayoutWarning
from framework.parallel.hosts.joining import join
from framework.train.saved import state_of
from framework.train.setup import Setup


class Counter:
    """Notes which rows are asked of the splits, and lets the data give them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[list[int]]] = {}
        self.phase = ""
        View.take = self._noting(View.take)  # pyright: ignore[reportAttributeAccessIssue]
        View.fill = self._noting(View.fill)  # pyright: ignore[reportAttributeAccessIssue]

    def _noting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def noted(view: View, indices: np.ndarray, *more: Any) -> Any:
            self.rows.setdefault(self.phase, []).append(np.asarray(indices).tolist())
            return method(view, indices, *more)

        return noted


def one(case: str, folder: Path, counter: Counter) -> None:
    """Train, evaluate, predict."""
    model, layout, *rest = case.split(":")
    words = [*overrides(layout), *(word for name in rest for word in MORE[name])]
    experiment = fw.load(str(RECIPES / f"{model}.yaml"), words)
    counter.rows, counter.phase = {}, "train"
    result = experiment.train(folder / "runs" / case.replace(":", "_"))
    counter.phase = "evaluate"
    results = experiment.evaluate("test")
    counter.phase = "predict"
    assert experiment.state is not None
    predicted = experiment._setup.evaluator.predict_split(experiment.state, "test")
    arrays, _ = to_host(experiment.state)
    name, process = case.replace(":", "_"), jax.process_index()
    (folder / f"{name}.rows{process}.json").write_text(json.dumps(counter.rows), encoding="utf-8")
    if process == 0:
        report = {
            "history": result.history,
            "results": results,
            "predicted": next(iter(predicted.values())).tolist(),
            "devices": len(experiment._setup.strategy.devices),
            "processes": jax.process_count(),
            "layout": experiment._setup.strategy.name,
        }
        np.savez(folder / f"{name}.npz", **arrays)  # pyright: ignore[reportArgumentType]
        (folder / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")


def restored(run: Path, folder: Path) -> None:
    """Restore what other processes saved, over the devices of these."""
    setup = Setup(load(str(RECIPES / "mlp.yaml"), overrides("mesh")))
    company = join(setup.config.parallel, {})
    state = state_of(setup, run, "last", None)
    arrays, _ = to_host(state)
    if company.first:
        np.savez(folder / "restored.npz", **arrays)  # pyright: ignore[reportArgumentType]


def main(folder: Path, cases: list[str]) -> None:
    """Every case in turn, in one life of this process."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", LayoutWarning)
    jax.config.update("jax_default_matmul_precision", "highest")
    counter = Counter()
    for case in cases:
        if ":" in case:
            one(case, folder, counter)
        else:
            restored(Path(case), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
