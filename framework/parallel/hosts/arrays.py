"""Host arrays across processes: from process 0 to all of them, and from all of them to process 0, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec

_CHUNK = 64 << 20


def share(arrays: Mapping[str, np.ndarray] | None, like: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of process 0, in every process. They go from device to device, in pieces of 64 MiB.

    Args:
      arrays: in process 0; None in the others.
      like: what is to come, by name: something with `shape` and `dtype`, the same in every process.
    """
    total = sum(_nbytes(spec) for spec in like.values())
    pieces = _pieces((np.ascontiguousarray(arrays[name]) for name in like), total) if arrays is not None else None
    shared = np.empty(total, np.uint8)
    for start in range(0, total, _CHUNK):
        # Bytes and not numbers: they are summed on the way, and -0.0 + 0.0 is 0.0.
        length = min(_CHUNK, total)
        piece = next(pieces) if pieces is not None else np.zeros(length, np.uint8)
        told = np.asarray(multihost_utils.broadcast_one_to_all(piece))
        shared[start : start + length] = told[: total - start]
    found, offset = {}, 0
    for name, spec in like.items():
        end = offset + _nbytes(spec)
        found[name] = shared[offset:end].view(np.dtype(spec.dtype)).reshape(spec.shape)
        offset = end
    return found


def whole(leaf: jax.Array) -> jax.Array:
    """An array whose every element lies on this process too; all processes must ask for it.

    A divided one is brought together on the devices first, so ask for one at a time.
    """
    if leaf.is_fully_addressable or leaf.is_fully_replicated:
        return leaf
    sharding = leaf.sharding
    assert isinstance(sharding, NamedSharding), "what is divided over processes lies on a mesh"
    return _gathered(NamedSharding(sharding.mesh, PartitionSpec()))(leaf)


def _gathered(sharding: NamedSharding) -> Any:
    return jax.jit(_same, out_shardings=sharding)


def _same(leaf: jax.Array) -> jax.Array:
    return leaf


def _nbytes(spec: Any) -> int:
    return int(np.prod(spec.shape, dtype=np.int64)) * np.dtype(spec.dtype).itemsize


def _pieces(arrays: Iterator[np.ndarray], total: int) -> Iterator[np.ndarray]:
    """The bytes of all arrays in pieces of one length, the last one filled up."""
    length = min(_CHUNK, total)
    piece, filled = np.zeros(length, np.uint8), 0
    for array in arrays:
        data = array.reshape(-1).view(np.uint8)
        while data.size:
            taken = min(data.size, length - filled)
            piece[filled : filled + taken] = data[:taken]
            data, filled = data[taken:], filled + taken
            if filled == length:
                yield piece
                piece, filled = np.zeros(length, np.uint8), 0
    if filled:
        yield piece
