"""Memory for batches, used again once nobody looks at it any more."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from framework.data.protocol import Arrays, ArraySpec, emptied


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
            # Two references: the set's own, and the argument of the call.
            if all(sys.getrefcount(arrays[name]) <= 2 for name in arrays):
                return dict(arrays)
        made = emptied(self._spec, *self._leading)
        if len(self._sets) < self._keep:
            self._sets.append(made)
        return dict(made)
