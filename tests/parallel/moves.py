"""Run by the tests in a process with eight virtual devices: one run is stopped and taken up again under other layouts.

    python moves.py FOLDER

FOLDER gets `whole` (a run on one device that nothing stopped), `moved` (a run of the same recipe, each quarter of it
under another layout) and `report.json`: for each hand-over the step and how many bytes differed between what the
checkpoint held and what lay on the devices of the next layout, and the evaluation of both runs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np
from layouts import EVERYTHING, RECIPES

import framework as fw
from framework.checkpoint import Checkpoints
from framework.core.errors import Interrupted
from framework.core.trees import named_leaves
from framework.parallel.choose import LayoutWarning
from framework.train import saved
from framework.train.stages import run

KEPT = ["checkpoint=default", "checkpoint.monitor=null", "trainer.steps_per_dispatch=4", "trainer.steps=16"]
JOURNEY = (
    ["parallel=fsdp", "parallel.devices=8", *EVERYTHING],
    ["parallel=pmap", "parallel.devices=2"],
    ["parallel=mesh", "parallel.devices=4", "parallel.axes={data: 2, fsdp: 1, tensor: 2}"],
    ["parallel=single"],
    ["parallel=fsdp", "parallel.devices=8", *EVERYTHING],
)
"""Each takes four steps; the last finds the run complete, and only reads its state."""


class Stopper:
    """An observer who sends the signal that ends a job, at a validation."""

    def __init__(self, step: int) -> None:
        self._step = step

    def record(self, record: dict[str, Any]) -> None:
        """Ask to stop after the validation of the step."""
        if record["split"] == "valid" and record["step"] == self._step:
            os.kill(os.getpid(), signal.SIGTERM)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Nothing is shown."""

    def settle(self) -> None:
        """Nothing is kept."""


def loaded(layout: list[str]) -> fw.Experiment:
    """The recipe under a layout."""
    return fw.load(str(RECIPES / "mlp.yaml"), [*KEPT, "trainer.validate_every_steps=4", *layout])


def changed_bytes(experiment: fw.Experiment, folder: Path, step: int) -> int:
    """How many bytes differ between the arrays of a checkpoint and the state that a layout makes of it."""
    strategy, shapes = experiment._setup.strategy, jax.eval_shape(experiment._setup.abstract.init)
    with Checkpoints(folder / "checkpoints", keep=9) as checkpoints:
        kept = checkpoints.restore(step, shapes)[0]
        placed = strategy.place_state(checkpoints.restore(step, strategy.state_like(shapes))[0])
    moved = named_leaves(strategy.plain_state(placed))
    return sum(int((raw(leaf) != raw(moved[name])).sum()) for name, leaf in named_leaves(kept).items())


def raw(leaf: Any) -> np.ndarray:
    """The bytes of an array."""
    return np.frombuffer(np.asarray(leaf).tobytes(), np.uint8)


def main(folder: Path) -> None:
    """Make both runs."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", LayoutWarning)
    whole = loaded(["parallel=single"])
    whole.train(folder / "whole")
    handed_over = []
    for number, layout in enumerate(JOURNEY):
        experiment = loaded(layout)
        if number:
            handed_over.append((4 * number, changed_bytes(experiment, folder / "moved", 4 * number)))
        setup = experiment._setup
        try:
            run(setup.loaded, ("train",), observers=[Stopper(4 * number + 4)], directory=folder / "moved", setup=setup)
        except Interrupted:
            continue
    back = saved.setup_of(folder / "moved")
    evaluated = back.evaluator.evaluate(saved.state_of(back, folder / "moved", "last", None), "test")
    report = {"handed_over": handed_over, "test": evaluated, "layout": back.strategy.name}
    whole_test = whole.evaluate("test")
    (folder / "report.json").write_text(json.dumps(report | {"whole_test": whole_test}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
