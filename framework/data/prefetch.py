"""Batches made ahead of the loop by threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np

from framework.data.protocol import Arrays, Source
from framework.data.schedule import Schedule


def make_batch(source: Source, indices: np.ndarray) -> Arrays:
    """The examples at `indices` and `mask`, float32[batch]: 1 for real rows, 0 where the index is -1.

    A padded row holds example 0, so that its numbers are as ordinary as any; the mask takes it out again.
    """
    batch = source.take(np.maximum(indices, 0))
    return {**batch, "mask": (indices >= 0).astype(np.float32)}


class Prefetch:
    """Iterates over the batches of steps [start, start + count), made ahead by threads.

    Batches come in order, whichever thread is done first. An exception in a thread is raised where its batch would have
    come, and ends the iteration. `close()`, or leaving a `with` block, lets go of the threads.

    Args:
      source: where the examples come from; `take` is called from several threads.
      schedule: which examples each step takes.
      start: the first step.
      count: how many steps; None: without end.
      depth: how many batches are made ahead.
      threads: how many threads make them.
    """

    def __init__(
        self,
        source: Source,
        schedule: Schedule,
        start: int,
        count: int | None,
        depth: int = 2,
        threads: int = 2,
    ) -> None:
        self._source = source
        self._schedule = schedule
        self._next = start
        self._stop = None if count is None else start + count
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="prefetch")
        self._pending: deque[Future[Arrays]] = deque()
        self._closed = False
        for _ in range(max(1, depth)):
            self._submit()

    def _submit(self) -> None:
        if self._stop is None or self._next < self._stop:
            # The schedule is asked here and not in the threads: it keeps a cache that has no lock.
            indices = self._schedule.indices(self._next)
            self._pending.append(self._pool.submit(make_batch, self._source, indices))
            self._next += 1

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
