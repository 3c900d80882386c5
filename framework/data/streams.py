"""Random numbers that are a function of a few integers, and stay the same whatever the version of NumPy.

NumPy promises that a bit generator's raw output never changes, but not what `Generator.permutation` or `normal` make of
it (NEP 19). A run must resume exactly after NumPy was updated, so everything here is made of raw Philox words.
Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import numpy as np

SPLIT = 1 << 63
LIMIT = SPLIT + 1
BLOCKS = 1 << 62
"""Second keys of streams that serve something else than an epoch's order, which has the epoch there. The order of an
epoch's blocks has BLOCKS + epoch."""


_PER_COUNT = 4
"""Words that Philox makes of each value of its counter."""


def words(count: int, *key: int, first: int = 0) -> np.ndarray:
    """`count` uint64 words, a function of the one or two integers of `key`: those from number `first` on."""
    lanes = np.zeros(2, np.uint64)
    lanes[: len(key)] = np.asarray(key, np.uint64)
    generator = np.random.Philox(key=lanes)
    if not first:
        return generator.random_raw(count)
    skipped, rest = divmod(first, _PER_COUNT)
    return generator.advance(skipped).random_raw(rest + count)[rest:]


def permutation(length: int, *key: int) -> np.ndarray:
    """int64[length]: the numbers below `length` in an order that is a function of `key`."""
    return np.argsort(words(length, *key), kind="stable")


def uniform(shape: tuple[int, ...], *key: int) -> np.ndarray:
    """float64 numbers, evenly spread over [0, 1)."""
    return _even(words(int(np.prod(shape)), *key)).reshape(shape)


def normal(shape: tuple[int, ...], *key: int, rows: slice | None = None) -> np.ndarray:
    """float64 numbers of mean 0 and variance 1, by the Box-Muller transform.

    Args:
      rows: only these of the first axis, with a start and a stop; the numbers are those that the whole array has there.
    """
    each, count = int(np.prod(shape[1:])), int(np.prod(shape))
    start, stop = (0, shape[0]) if rows is None else (rows.start, rows.stop)
    first, second = (_even(words((stop - start) * each, *key, first=half + start * each)) for half in (0, count))
    return (np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)).reshape(stop - start, *shape[1:])


def _even(raw: np.ndarray) -> np.ndarray:
    """Words as numbers in [0, 1)."""
    return (raw >> np.uint64(11)) * 2.0**-53


def integers(shape: tuple[int, ...], below: int, *key: int) -> np.ndarray:
    """int64 numbers, evenly spread over [0, below)."""
    return (uniform(shape, *key) * below).astype(np.int64)
