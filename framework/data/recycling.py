"""Memory for batches, used again once nobody looks at it any more."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

import numpy as np

from framework.data.protocol import Arrays, ArraySpec

_ALIGNMENT_BYTES = 64
"""What XLA wants, to compute on the CPU with an array where it lies. Else it copies the whole block at each dispatch:
5 ms for 25 MB, beside 0.2 ms."""


class Recycled:
    """Sets of arrays of one shape each.

    A set is given out again when nothing else refers to its arrays: neither a view of one nor a device that reads it,
    or, as CPUs do, computes with it where it lies. So nobody has to say that a set is done with, and memory that the
    system has already handed over is not asked for again for each batch.

    Args:
      keep: at most so many sets are kept.
    """

    def __init__(self, spec: Mapping[str, ArraySpec], leading: tuple[int, ...], keep: int) -> None:
        self._spec = dict(spec)
        self._leading = leading
        self._keep = keep
        self._sets: list[Arrays] = []

    def arrays(self) -> Arrays:
        """A set that nobody else uses; what it holds is arbitrary. For one thread."""
        for arrays in self._sets:
            if all(_unused(arrays, name) for name in arrays):
                return dict(arrays)
        made = {name: aligned((*self._leading, *item.shape), item.dtype) for name, item in self._spec.items()}
        if len(self._sets) < self._keep:
            self._sets.append(made)
        return dict(made)


def _unused(arrays: Arrays, name: str) -> bool:
    # References to the array: its set's, and the argument of the call. To the memory below it, which is what views of
    # the array refer to: the array's, and the argument.
    return sys.getrefcount(arrays[name]) <= 2 and sys.getrefcount(arrays[name].base) <= 2


def aligned(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """A new array, whose contents are arbitrary, where XLA computes with it in place."""
    count = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(count + _ALIGNMENT_BYTES, np.uint8)
    first = -memory.ctypes.data % _ALIGNMENT_BYTES
    return np.ndarray(shape, dtype, buffer=memory, offset=first)
