"""How examples reach the compiled program: gathered on the device, or streamed from the host by threads.

A feed turns a range of steps into a block: what one dispatch needs, with a leading axis of steps. The compiled
program asks `batch_at` for the batch of one step of the block, inside the trace.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from framework.data.block_prefetch import BlockPrefetch
from framework.data.prefetch import Prefetch
from framework.data.schedule import BatchSchedule, ListedSchedule, PartSchedule, Schedule

RESIDENT_LIMIT_BYTES = 1 << 30
_STREAM_BLOCK_BYTES = 64 << 20


class Feed(Protocol):
    """Examples for a range of steps."""

    arrays: Mapping[str, jax.Array]
    capacity: int

    def block(self, start: int, count: int) -> Mapping[str, Any]:
        """What steps [start, start + count) need, each array padded to `capacity` steps."""
        ...

    def batch_at(self, arrays: Mapping[str, jax.Array], block: Mapping[str, jax.Array], index: Any) -> dict[str, Any]:
        """The batch of step `index` of a block; traced."""
        ...

    def close(self) -> None:
        """Let go of threads."""
        ...


def is_resident(asked: bool | Literal["auto"], nbytes: int) -> bool:
    """Whether a split of so many bytes is kept on the devices, by the setting `data.resident`."""
    return nbytes <= RESIDENT_LIMIT_BYTES if asked == "auto" else asked


def gather(arrays: Mapping[str, jax.Array], indices: jax.Array, *, masked: bool) -> dict[str, jax.Array]:
    """Rows of resident arrays; a negative index is padding, which `mask` marks with 0 where `masked`."""
    batch = {name: array[jnp.maximum(indices, 0) if masked else indices] for name, array in arrays.items()}
    return batch | ({"mask": (indices >= 0).astype(jnp.float32)} if masked else {})


@dataclass
class ResidentFeed:
    """The whole split lies on every device; a block is nothing but row numbers."""

    arrays: Mapping[str, jax.Array]
    schedule: BatchSchedule
    capacity: int
    masked: bool

    def block(self, start: int, count: int) -> Mapping[str, Any]:
        """`{"indices": int32[capacity, batch_size]}`."""
        rows = self.schedule.block(start, count)
        if count < self.capacity:
            rows = np.concatenate([rows, np.zeros((self.capacity - count, rows.shape[1]), rows.dtype)])
        return {"indices": rows}

    def batch_at(self, arrays: Mapping[str, jax.Array], block: Mapping[str, jax.Array], index: Any) -> dict[str, Any]:
        """Gather the rows of one step."""
        return gather(arrays, block["indices"][index], masked=self.masked)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class StreamFeed:
    """Batches come from a source through threads, a block of them at a time: while one is used, two are being made.

    Attributes:
      rows: which rows of each batch this process takes; None: all of them.
    """

    source: Any
    schedule: BatchSchedule
    capacity: int
    masked: bool
    rows: np.ndarray | None = None
    arrays: Mapping[str, jax.Array] = field(default_factory=dict)
    _stream: BlockPrefetch | None = None

    def block(self, start: int, count: int) -> Mapping[str, Any]:
        """Each batch array with a leading axis of `capacity` steps, of the rows that this process takes.

        Steps beyond `count` hold anything. The memory is used again once nothing refers to it.
        """
        if self._stream is None or self._stream.next != start:
            self.close()
            self._stream = BlockPrefetch(
                self.source, self._own, start, self.capacity, masked=self.masked, threads=_threads()
            )
        return self._stream.take(count)

    @property
    def _own(self) -> Schedule:
        return self.schedule if self.rows is None else PartSchedule(self.schedule, self.rows)

    def batch_at(self, arrays: Mapping[str, jax.Array], block: Mapping[str, jax.Array], index: Any) -> dict[str, Any]:
        """Slice one step out of the block."""
        return {name: array[index] for name, array in block.items()}

    def close(self) -> None:
        """Stop the threads."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def streamed(source: Any, batches: np.ndarray, *, masked: bool) -> Prefetch:
    """Listed batches of a source in order, made ahead by threads: at least two, more where they are small.

    Args:
      source: see `framework.data.protocol.Source`.
      batches: int32[steps, rows] the examples of each; -1 is padding.
      masked: whether they have an array `mask`.
    """
    threads = _threads()
    batch_bytes = batches.shape[1] * sum(item.nbytes for item in source.spec.values())
    depth = max(2, stream_capacity(batch_bytes, threads + 1))
    return Prefetch(source, ListedSchedule(batches), 0, len(batches), depth, threads, masked=masked)


def _threads() -> int:
    """Threads that make batches: as many as processors, but enough for reading and computing to overlap."""
    return max(2, min(8, os.cpu_count() or 1))


def stream_capacity(batch_bytes: int, wanted: int) -> int:
    """How many batches a streamed block holds, so that a block stays below 64 MiB."""
    return max(1, min(wanted, _STREAM_BLOCK_BYTES // max(1, batch_bytes)))
