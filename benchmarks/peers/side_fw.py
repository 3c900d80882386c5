"""`fw`'s own training loop over a recipe of benchmarks/peers/recipes, with its records and without checkpoints.

python benchmarks/peers/side_fw.py RECIPE [OVERRIDE ...]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from protocol import channel, serve

import framework


class Declared:
    """The recipe's side: the loop that `fw train` runs, over its compiled runner."""

    def __init__(self, setup: Any) -> None:
        import jax

        from framework.core.trees import size
        from framework.train.runner import Runner

        self.version = f"fw {framework.__version__}, JAX {jax.__version__}"
        self.experiment = setup.experiment
        self.runner = Runner(setup.experiment, setup.dataset, setup.strategy)
        self.state = setup.strategy.place_state(setup.experiment.init())
        self.parameters = size(self.state.params)
        self.step = 0
        self.loss = float("nan")

    def run(self, steps: int) -> tuple[int, float]:
        """Take so many steps."""
        import jax

        from framework.train.loop import Loop
        from framework.train.progress import Progress

        ahead = replace(self.experiment, total_steps=self.step + steps)
        loop = Loop(ahead, self.runner, None, self.state, Progress(), [self], None, self.step)
        self.state = jax.block_until_ready(loop.run())
        self.step += steps
        return steps, self.loss

    def record(self, record: dict[str, Any]) -> None:
        """Keep the loss."""
        self.loss = float(record["loss"])

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Nothing is shown."""

    def settle(self) -> None:
        """Nothing is kept."""


def main() -> None:
    """Train as told."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("recipe", type=Path)
    words.add_argument("overrides", nargs="*", metavar="OVERRIDE")
    options = words.parse_intermixed_args()
    from framework.config.compose import load
    from framework.train.setup import Setup

    answers = channel()
    serve(Declared(Setup(load(str(options.recipe), options.overrides))), answers)


if __name__ == "__main__":
    main()
