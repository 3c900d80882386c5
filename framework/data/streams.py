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


def words(count: int, *key: int) -> np.ndarray:
    """`count` uint64 words, a function of the one or two integers of `key`."""
    lanes = np.zeros(2, np.uint64)
    lanes[: len(key)] = np.asarray(key, np.uint64)
    return np.random.Philox(key=lanes).random_raw(count)


def permutation(length: int, *key: int) -> np.ndarray:
    """int64[length]: the numbers below `length` in an order that is a function of `key`."""
    return np.argsort(words(length, *key), kind="stable")


def uniform(shape: tuple[int, ...], *key: int) -> np.ndarray:
    """float64 numbers, evenly spread over [0, 1)."""
    return ((words(int(np.prod(shape)), *key) >> np.uint64(11)) * 2.0**-53).reshape(shape)


def normal(shape: tuple[int, ...], *key: int) -> np.ndarray:
    """float64 numbers of mean 0 and variance 1, by the Box-Muller transform."""
    first, second = uniform((2, int(np.prod(shape))), *key)
    return (np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)).reshape(shape)


def integers(shape: tuple[int, ...], below: int, *key: int) -> np.ndarray:
    """int64 numbers, evenly spread over [0, below)."""
    return (uniform(shape, *key) * below).astype(np.int64)
