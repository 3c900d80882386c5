"""Several trained members as one predictor: the mean of what they predict, by one compiled program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from framework import data as data_room
from framework.build.state import State
from framework.train.setup import Setup

_LINKS = {"cross_entropy": jax.nn.softmax, "bce": jax.nn.sigmoid}
"""Loss -> what makes probabilities of the logits that it reads."""


@dataclass(frozen=True, eq=False)
class Part:
    """Members of one network.

    Attributes:
      setup: the recipe of one of them.
      states: theirs, with members on the first axis.
      hyper: config key -> each member's value, of the traced keys that were swept.
    """

    setup: Setup
    states: State
    hyper: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """How many members."""
        return len(self.states.step)

    @cached_property
    def links(self) -> dict[str, Any]:
        """Network output -> what makes probabilities of it, of those that a loss takes as logits."""
        found = {}
        for loss in self.setup.config.losses.values():
            root, _, output = str(getattr(loss, "logits", "")).partition(".")
            if root == "outputs" and loss.type in _LINKS:
                found[output] = _LINKS[loss.type]
        return found

    @cached_property
    def program(self) -> Any:
        """(states, hyper, batch) -> the sum over members of each output."""
        experiment = self.setup.experiment

        def one(state: State, hyper: Any, batch: Any) -> dict[str, jax.Array]:
            outputs = experiment.predict(state, batch, hyper)
            return {name: self.links.get(name, lambda value: value)(value) for name, value in outputs.items()}

        def summed(states: State, hyper: Any, batch: Any) -> dict[str, jax.Array]:
            outputs = jax.vmap(one, in_axes=(0, 0, None))(states, hyper, batch)
            return {name: jnp.sum(value, axis=0) for name, value in outputs.items()}

        return jax.jit(summed)

    def summed(self, arrays: Mapping[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
        """The sum over members of each output, for all examples, `rows` at a time.

        The last block is filled up with examples again, so that one compiled program serves all.
        """
        total = len(next(iter(arrays.values())))
        rows = min(rows, total)
        parts = []
        for start in range(0, total, rows):
            indices = np.arange(start, start + rows) % total
            outputs = self.program(self.states, self.hyper, {name: array[indices] for name, array in arrays.items()})
            parts.append({name: np.asarray(value)[: total - start] for name, value in outputs.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class Ensemble:
    """The mean of several members: of the probabilities, where an output is the logits of a loss, else of the outputs.

    Attributes:
      trials: the members' numbers.
    """

    def __init__(self, parts: list[Part], trials: tuple[int, ...]) -> None:
        self._parts = parts
        self.trials = trials

    def __len__(self) -> int:
        return len(self.trials)

    def predict(self, inputs: Any) -> Any:
        """The ensemble's outputs for raw inputs, scaled as the training split was.

        Args:
          inputs: as for `framework.library.experiments.Experiment.predict`.

        Returns:
          The array, where the network has one output; else a dict by name. Probabilities sum to one over the classes.
        """
        first = self._parts[0].setup
        single = next(iter(first.experiment.inputs.values())).removeprefix("batch.")
        total: dict[str, np.ndarray] = {}
        for part in self._parts:
            data = part.setup.config.data
            scaled = data_room.given_inputs(inputs, single, data, part.setup.dataset.facts())
            for name, value in part.summed(dict(scaled), data.eval_batch_size or data.batch_size).items():
                total[name] = total.get(name, 0.0) + value
        means = {name: value / len(self) for name, value in total.items()}
        return next(iter(means.values())) if len(means) == 1 else means

    def __repr__(self) -> str:
        return f"<Ensemble of {len(self)} trials, {len(self._parts)} network{'s' if len(self._parts) > 1 else ''}>"
