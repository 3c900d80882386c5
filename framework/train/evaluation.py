"""Evaluates and predicts over a whole split, exactly: the last batch is padded, and its padding does not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from framework.build.experiment import Experiment
from framework.build.state import State
from framework.data.prefetch import make_batch
from framework.data.schedule import eval_batches
from framework.parallel.strategy import OWN, SHARED, STATE, Rows, Strategy
from framework.runtime.garbage import collect_again
from framework.train.feed import gather, is_resident


class Evaluator:
    """The compiled evaluation and prediction of one experiment over the splits of a data set."""

    def __init__(self, experiment: Experiment, dataset: Any, strategy: Strategy) -> None:
        self.experiment = experiment = experiment.within(strategy.inside)
        self.dataset = dataset
        self.strategy = strategy
        data = experiment.config.data
        self.batch_size = self._divisible(data.eval_batch_size or data.batch_size)
        self.hyper = strategy.place_shared(experiment.hyper)
        self._resident: dict[str, Any] = {}
        self._over_resident = strategy.compile(self._sweep, takes=(STATE, SHARED, SHARED, Rows(1)), gives=OWN)
        self._over_batch = strategy.compile(experiment.evaluate, takes=(STATE, Rows(), OWN, SHARED), gives=OWN)
        self._summarise = strategy.compile(self._results, takes=(OWN,), gives=SHARED)
        self._predict = strategy.compile(experiment.predict, takes=(STATE, Rows(), SHARED), gives=Rows())

    def evaluate(self, state: State, split: str) -> dict[str, Any]:
        """The results over a split by name: Python floats, and nested lists for matrices."""
        state = self.strategy.place_state(state)
        source = self.dataset.splits[split]
        blocks = eval_batches(len(source), self.batch_size)
        if self._is_resident(split):
            if split not in self._resident:
                arrays = self.strategy.place_shared(self.dataset.arrays(split))
                self._resident[split] = (arrays, self.strategy.place_rows(blocks, 1))
            arrays, placed = self._resident[split]
            evaluation = self._over_resident(state, self.hyper, arrays, placed)
        else:
            evaluation = self.strategy.place_shared(self.experiment.evaluation())
            for indices in blocks:
                evaluation = self._over_batch(state, self._batch(source, indices), evaluation, self.hyper)
                collect_again()
        found = jax.device_get(self._summarise(evaluation))
        # A compiled function gives its results in alphabetical order; people read the loss first.
        ordered = {name: found[name] for name in self.experiment.result_names}
        return {name: value.item() if value.ndim == 0 else value.tolist() for name, value in ordered.items()}

    def predict(self, state: State, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs for host arrays that hold the network's inputs, row for row."""
        rows = len(next(iter(arrays.values())))

        def take(indices: np.ndarray) -> dict[str, np.ndarray]:
            return {name: np.asarray(array)[indices] for name, array in arrays.items()}

        return self._predicted(state, take, rows)

    def predict_split(self, state: State, split: str) -> dict[str, np.ndarray]:
        """The outputs for a whole split, in its order. Of several processes each gets all of them."""
        source = self.dataset.splits[split]
        return self._predicted(state, source.take, len(source))

    def _predicted(
        self, state: State, take: Callable[[np.ndarray], Mapping[str, np.ndarray]], rows: int
    ) -> dict[str, np.ndarray]:
        """The outputs for examples 0 to `rows`, of which each process takes those of its devices."""
        state = self.strategy.place_state(state)
        wanted = {path.removeprefix("batch.") for path in self.experiment.inputs.values()}
        parts: list[Any] = []
        for indices in eval_batches(rows, self._divisible(min(self.batch_size, rows))):
            here = self.strategy.rows_here(len(indices))
            taken = take(np.maximum(indices if here is None else indices[here], 0))
            batch = {name: array for name, array in taken.items() if name in wanted}
            placed = batch if here is None else self.strategy.place_part(batch, len(indices))
            outputs = jax.device_get(self._predict(state, placed, self.hyper))
            collect_again()
            parts.append({name: value[indices >= 0] for name, value in outputs.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _batch(self, source: Any, indices: np.ndarray) -> Mapping[str, Any]:
        """A masked batch; of several processes each loads the rows of its devices."""
        here = self.strategy.rows_here(len(indices))
        if here is None:
            return make_batch(source, indices)
        return self.strategy.place_part(make_batch(source, indices[here]), len(indices))

    def _divisible(self, rows: int) -> int:
        """The next batch size that can be divided among the devices; rows beyond do not count."""
        multiple = self.strategy.batch_multiple
        return -(-rows // multiple) * multiple

    def _results(self, evaluation: Any) -> dict[str, Any]:
        return self.experiment.summarise(self.experiment.combine(evaluation))

    def _sweep(self, state: State, hyper: Any, arrays: Any, blocks: jax.Array) -> dict[str, Any]:
        return over_blocks(self.experiment, state, hyper, arrays, blocks, blocks.shape[0])

    def _is_resident(self, split: str) -> bool:
        return is_resident(self.experiment.config.data.resident, self.dataset.nbytes(split))


def over_blocks(
    experiment: Experiment, state: State, hyper: Any, arrays: Any, blocks: jax.Array, count: int | jax.Array
) -> dict[str, Any]:
    """The evaluation over the first `count` batches of a split that lies on the device.

    Args:
      blocks: int32[at least count, rows], which rows of `arrays` make each batch; -1 is padding.
    """

    def body(index: jax.Array, evaluation: Any) -> Any:
        batch = experiment.inside.pin_rows(gather(arrays, blocks[index], masked=True))
        return experiment.evaluate(state, batch, evaluation, hyper)

    return jax.lax.fori_loop(0, count, body, experiment.evaluation())
