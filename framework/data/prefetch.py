"""Batches made ahead of the loop by threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np

from framework.data.protocol import Arrays, ArraySpec, Source, fill
from framework.data.recycling import Recycled
from framework.data.schedule import Schedule


def make_batch(source: Source, indices: np.ndarray) -> Arrays:
    """The examples at `indices` and `mask`, float32[batch]: 1 for real rows, 0 where the index is -1.

    A padded row holds example 0, so that its numbers are as ordinary as any; the mask takes it out again.
    """
    batch = source.take(np.maximum(indices, 0))
    return {**batch, "mask": (indices >= 0).astype(np.float32)}


MASK = ArraySpec((), "float32")
"""The array of a batch that tells real rows from padding."""


def put_batch(source: Source, indices: np.ndarray, out: Arrays, *, masked: bool) -> None:
    """Put the examples at `indices`, and `mask` where it is wanted, into arrays [batch, ...]; else as `make_batch`."""
    arrays = dict(out)
    if masked:
        arrays.pop("mask")[...] = indices >= 0
    fill(source, np.maximum(indices, 0), arrays)


class Prefetch:
    """Iterates over the batches of steps [start, start + count), made ahead by threads.

    Batches come in order, whichever thread is done first. An exception in a thread is raised where its batch would have
    come, and ends the iteration. `close()`, or leaving a `with` block, waits for the threads to end. The memory of a
    batch is used again once nothing refers to it, so there are `depth` batches besides those that the caller holds.

    Args:
      source: where the examples come from; read from several threads.
      schedule: which examples each step takes.
      start: the first step.
      count: how many steps; None: without end.
      depth: how many batches are made ahead.
      threads: how many threads make them.
      masked: whether a batch has an array `mask` (see `make_batch`).
    """

    def __init__(
        self,
        source: Source,
        schedule: Schedule,
        start: int,
        count: int | None,
        depth: int = 2,
        threads: int = 2,
        *,
        masked: bool = True,
    ) -> None:
        self._source = source
        self._schedule = schedule
        self._next = start
        self._stop = None if count is None else start + count
        self._masked = masked
        self._keep = max(1, depth) + 3  # one handed out, one computed with, one waiting for that
        self._memory: Recycled | None = None
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="prefetch")
        self._pending: deque[Future[Arrays]] = deque()
        self._closed = False
        for _ in range(max(1, depth)):
            self._submit()

    def _submit(self) -> None:
        if self._stop is None or self._next < self._stop:
            # The schedule and the memory are asked here and not in the threads: they have no locks.
            indices = self._schedule.indices(self._next)
            if self._memory is None:
                spec = {**self._source.spec, **({"mask": MASK} if self._masked else {})}
                self._memory = Recycled(spec, (len(indices),), self._keep)
            self._pending.append(self._pool.submit(self._made, indices, self._memory.arrays()))
            self._next += 1

    def _made(self, indices: np.ndarray, out: Arrays) -> Arrays:
        put_batch(self._source, indices, out, masked=self._masked)
        return out

    def __iter__(self) -> Iterator[Arrays]:
        return self

    def __next__(self) -> Arrays:
        if self._closed or not self._pending:
            self.close()
            raise StopIteration
        try:
            batch = self._pending.popleft().result()
        except BaseException:
            self.close()
            raise
        self._submit()
        return batch

    def close(self) -> None:
        """Drop the batches that are not made yet, and wait for those being made."""
        self._closed = True
        self._pending.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
