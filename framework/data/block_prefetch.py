"""Blocks of batches, put into place ahead of the loop by threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from framework.data.prefetch import MASK, put_batch
from framework.data.protocol import Arrays, Source
from framework.data.recycling import Recycled
from framework.data.schedule import Schedule


@dataclass
class _Group:
    """Successive steps whose batches lie one after another in one set of arrays."""

    start: int
    arrays: Arrays
    done: list[Future[None]]

    @property
    def stop(self) -> int:
        return self.start + len(self.done)


class BlockPrefetch:
    """The batches of successive steps, `capacity` at most in a block, with a leading axis of steps.

    While one block is used the next two are made: threads put each batch where it belongs in its block. How many steps
    a block is asked to hold may change; blocks that were begun for another count are copied together, and the following
    ones fit again.

    Args:
      source: where examples come from; read from several threads.
      schedule: which examples each step takes.
      start: the first step.
      masked: whether a block has an array `mask` (see `make_batch`).
      threads: how many threads make batches.
    """

    def __init__(
        self, source: Source, schedule: Schedule, start: int, capacity: int, *, masked: bool, threads: int = 4
    ) -> None:
        self._source = source
        self._schedule = schedule
        self._masked = masked
        self.capacity = capacity
        self.next = start
        self._count = capacity
        self._groups: deque[_Group] = deque()
        # One block is used by the device, one is handed out, two are being made, one may be copied together.
        leading = (capacity, len(schedule.indices(start)))
        self._memory = Recycled({**source.spec, **({"mask": MASK} if masked else {})}, leading, keep=5)
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="prefetch")
        self._ahead()

    def take(self, count: int) -> Arrays:
        """The next `count` steps, each array [capacity, batch, ...]; what lies beyond `count` is arbitrary.

        Raises:
          Exception: what the source raised for one of these steps.
        """
        start, stop = self.next, self.next + count
        self.next, self._count = stop, count
        self._ahead()
        try:
            block = self._placed(start, stop)
        except BaseException:
            self.close()
            raise
        while self._groups and self._groups[0].stop <= stop:
            self._groups.popleft()
        return block

    def _placed(self, start: int, stop: int) -> Arrays:
        parts = [group for group in self._groups if group.start < stop]
        for group in parts:
            for future in group.done[max(0, start - group.start) : stop - group.start]:
                future.result()
        if len(parts) == 1 and parts[0].start == start:
            return dict(parts[0].arrays)
        block = self._memory.arrays()
        for group in parts:
            first, last = max(start, group.start), min(stop, group.stop)
            for name, array in group.arrays.items():
                block[name][first - start : last - start] = array[first - group.start : last - group.start]
        return block

    def _ahead(self) -> None:
        """Begin what is missing of the next block and the one after it."""
        stop = self._groups[-1].stop if self._groups else self.next
        while stop < self.next + 2 * self._count:
            # A group ends where a block of the present count will end, so that the block needs no copying.
            length = self._count - (stop - self.next) % self._count
            arrays = self._memory.arrays()
            done = [
                # The schedule is asked here and not in the threads: it keeps a cache that has no lock.
                self._pool.submit(self._make, self._schedule.indices(stop + place), arrays, place)
                for place in range(length)
            ]
            self._groups.append(_Group(stop, arrays, done))
            stop += length

    def _make(self, indices: np.ndarray, arrays: Arrays, place: int) -> None:
        here = {name: array[place] for name, array in arrays.items()}
        put_batch(self._source, indices, here, masked=self._masked)

    def close(self) -> None:
        """Drop what is not made yet, and wait for what is being made."""
        self._groups.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> BlockPrefetch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
