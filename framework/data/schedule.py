"""Which examples each step takes: a function of (seed, epoch, step) alone, so resuming costs nothing and is exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.protocol import Blocks
from framework.data.streams import BLOCKS, permutation, words

PAD = -1
"""Stands in a batch where an epoch's last, short one has no example left."""


class Schedule(Protocol):
    """Which examples each step takes."""

    def indices(self, step: int) -> np.ndarray:
        """int32[rows]: the examples of a step; -1 is padding."""
        ...


class BatchSchedule:
    """The batches of every epoch.

    Each epoch visits the examples in the order of `streams.permutation(length, seed, epoch)`, or of `block_order` where
    they lie in blocks, or in their own order without `shuffle`. The last, short batch of an epoch is padded with -1
    (`last="mask"`) or left out (`"drop"`).

    Raises:
      DataError: there is no example, or not one full batch where short ones are dropped.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int,
        shuffle: bool = True,
        last: Literal["mask", "drop"] = "mask",
        blocks: Blocks | None = None,
    ) -> None:
        if length < 1 or (last == "drop" and length < batch_size):
            raise DataError(
                Problem(
                    key="data.batch_size",
                    found=f"{length} examples do not fill one batch of {batch_size}",
                    expected="at least one batch an epoch",
                    fix=f"data.batch_size={length}" if length else None,
                )
            )
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.last = last
        self.blocks = blocks
        self.steps_per_epoch = length // batch_size if last == "drop" else -(-length // batch_size)
        self._epochs: dict[int, np.ndarray] = {}

    def epoch(self, step: int) -> int:
        """The epoch that `step` belongs to; both count from 0."""
        return step // self.steps_per_epoch

    def indices(self, step: int) -> np.ndarray:
        """int32[batch_size]: the examples of the batch that `step` takes; -1 is padding."""
        return self._order(self.epoch(step))[step % self.steps_per_epoch]

    def block(self, start: int, count: int) -> np.ndarray:
        """int32[count, batch_size]: the batches of steps [start, start + count), across epochs."""
        stop = start + count
        parts = []
        while start < stop:
            epoch, first = divmod(start, self.steps_per_epoch)
            part = self._order(epoch)[first : first + stop - start]
            parts.append(part)
            start += len(part)
        return np.concatenate(parts) if parts else np.empty((0, self.batch_size), np.int32)

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._epochs:
            # A block rarely spans more than two epochs; older orders would only fill memory.
            while len(self._epochs) >= 2:
                self._epochs.pop(next(iter(self._epochs)))
            order = self._shuffled(epoch) if self.shuffle else np.arange(self.length)
            self._epochs[epoch] = padded(order[: self.steps_per_epoch * self.batch_size], self.batch_size)
        return self._epochs[epoch]

    def _shuffled(self, epoch: int) -> np.ndarray:
        if self.blocks is None:
            return permutation(self.length, self.seed, epoch)
        return block_order(self.blocks, self.seed, epoch)


def schedule_of(data: Any, source: Any, seed: int) -> BatchSchedule:
    """The batches of a source.

    Args:
      data: the section `data` of a recipe.
      source: has a length, and `blocks` where its examples lie in such.

    Raises:
      DataError: see `BatchSchedule`.
    """
    blocks = getattr(source, "blocks", None)
    return BatchSchedule(len(source), data.batch_size, seed, shuffle=data.shuffle, last=data.last_batch, blocks=blocks)


def block_order(blocks: Blocks, seed: int, epoch: int) -> np.ndarray:
    """int64[examples]: the examples in an order that is a function of (seed, epoch) and reads few blocks at a time.

    The blocks come in a random order and are cut into windows of `blocks.window`; the examples of a window come in a
    random order, all of them before the next window's.
    """
    names, block = np.unique(blocks.numbers, return_inverse=True)
    place = np.empty(len(names), np.int64)
    place[permutation(len(names), seed, BLOCKS + epoch)] = np.arange(len(names))
    return np.lexsort((words(len(block), seed, epoch), place[block] // blocks.window))


@dataclass(frozen=True)
class PartSchedule:
    """Some rows of every batch: those that one of several processes loads.

    Attributes:
      rows: their places in the batch.
    """

    whole: Schedule
    rows: np.ndarray

    def indices(self, step: int) -> np.ndarray:
        """int32[len(rows)]: the examples of the batch that `step` takes, in these rows."""
        return self.whole.indices(step)[self.rows]


@dataclass(frozen=True)
class ListedSchedule:
    """Batches that are listed one by one.

    Attributes:
      batches: int32[steps, rows]; -1 is padding.
    """

    batches: np.ndarray

    def indices(self, step: int) -> np.ndarray:
        """int32[rows]: the batch that `step` takes."""
        return self.batches[step]


def padded(order: np.ndarray, batch_size: int) -> np.ndarray:
    """int32[ceil(len / batch_size), batch_size]: `order` cut into batches, the last one padded with -1."""
    batches = -(-len(order) // batch_size)
    block = np.full(batches * batch_size, PAD, np.int32)
    block[: len(order)] = order
    return block.reshape(batches, batch_size)


def eval_batches(length: int, batch_size: int) -> np.ndarray:
    """int32[ceil(length / batch_size), batch_size]: every example once, in order; -1 is padding."""
    return padded(np.arange(length), batch_size)
