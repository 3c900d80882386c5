"""Evaluates and predicts over a whole split, exactly: the last batch is padded, and its padding does not count."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from framework.build.experiment import Experiment
from framework.build.state import State
from framework.data.protocol import ArraySource, Source
from framework.data.schedule import eval_batches
from framework.parallel.strategy import OWN, SHARED, STATE, Rows, Strategy
from framework.runtime.garbage import collect_again
from framework.train.feed import gather, is_resident, streamed

_AHEAD = 2
"""Batches that are handed to the devices before the first of them is waited for; more would only fill memory."""


class Evaluator:
    """The compiled evaluation and prediction of one experiment over the splits of a data set."""

    def __init__(self, experiment: Experiment, dataset: Any, strategy: Strategy) -> None:
        self.experiment = experiment = experiment.within(strategy.inside)
        self.dataset = dataset
        self.strategy = strategy
        data = experiment.config.data
        self.batch_size = self._divisible(data.eval_batch_size or data.batch_size)
        self.hyper = strategy.place_shared(experiment.hyper)
        self._inputs = {path.removeprefix("batch.") for path in experiment.inputs.values()}
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
            evaluation = self._over_stream(state, source, blocks)
        found = jax.device_get(self._summarise(evaluation))
        # A compiled function gives its results in alphabetical order; people read the loss first.
        ordered = {name: found[name] for name in self.experiment.result_names}
        return {name: value.item() if value.ndim == 0 else value.tolist() for name, value in ordered.items()}

    def predict(self, state: State, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs for host arrays that hold the network's inputs, row for row; bfloat16 is given as float32."""
        return self._predicted(state, ArraySource({name: arrays[name] for name in arrays if name in self._inputs}))

    def predict_split(self, state: State, split: str) -> dict[str, np.ndarray]:
        """The outputs for a whole split, in its order. Of several processes each gets all of them."""
        return self._predicted(state, self.dataset.splits[split])

    def _over_stream(self, state: State, source: Source, blocks: np.ndarray) -> Any:
        """The evaluation over batches that threads read ahead, while the devices compute."""
        evaluation = self.strategy.place_shared(self.experiment.evaluation())
        computing: deque[Any] = deque()
        with streamed(source, self._own(blocks), masked=True) as batches:
            for batch in batches:
                evaluation = self._over_batch(state, self._placed(batch, blocks), evaluation, self.hyper)
                collect_again()
                computing.append(evaluation)
                if len(computing) > _AHEAD:
                    jax.block_until_ready(computing.popleft())
        return evaluation

    def _predicted(self, state: State, source: Source) -> dict[str, np.ndarray]:
        """The outputs for all examples of a source, of which each process takes those of its devices."""
        state = self.strategy.place_state(state)
        blocks = eval_batches(len(source), self._divisible(min(self.batch_size, len(source))))
        computing: deque[tuple[np.ndarray, Any]] = deque()
        parts: list[dict[str, np.ndarray]] = []

        def fetch() -> None:
            indices, outputs = computing.popleft()
            parts.append({name: _plain(value[indices >= 0]) for name, value in jax.device_get(outputs).items()})

        with streamed(source, self._own(blocks), masked=False) as batches:
            for indices, batch in zip(blocks, batches, strict=True):
                inputs = {name: array for name, array in batch.items() if name in self._inputs}
                computing.append((indices, self._predict(state, self._placed(inputs, blocks), self.hyper)))
                collect_again()
                if len(computing) > _AHEAD:
                    fetch()
        while computing:
            fetch()
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _own(self, blocks: np.ndarray) -> np.ndarray:
        """The rows of each batch that this process loads."""
        here = self.strategy.rows_here(blocks.shape[1])
        return blocks if here is None else blocks[:, here]

    def _placed(self, batch: Mapping[str, np.ndarray], blocks: np.ndarray) -> Mapping[str, Any]:
        """A batch for the compiled functions; where this process loaded some of its rows, those on their devices."""
        rows = blocks.shape[1]
        return batch if self.strategy.rows_here(rows) is None else self.strategy.place_part(batch, rows)

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


def _plain(array: np.ndarray) -> np.ndarray:
    """The array in a number format that NumPy knows: files of it and other libraries read no bfloat16."""
    return array.astype(np.float32) if array.dtype == jnp.bfloat16 else array
