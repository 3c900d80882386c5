"""What the room agrees on: the shape of one example, a source of examples, and what a source knows besides them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np

Arrays = dict[str, np.ndarray]
Facts = dict[str, Any]

LABELLED = ("label", "target", "targets")
"""Batch arrays that hold the answer; all others are inputs."""


@dataclass(frozen=True)
class ArraySpec:
    """Shape and dtype of one array of one example, without the batch axis."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        """Bytes of one example."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


class Source(Protocol):
    """Examples by number."""

    @property
    def spec(self) -> Mapping[str, ArraySpec]:
        """Batch array name -> shape and dtype of one example."""
        ...

    def __len__(self) -> int: ...

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`, each array with a leading axis of `len(indices)`; safe to call from threads.

        Raises:
          IndexError: an index is negative or not below the length.
        """
        ...


class FillingSource(Source, Protocol):
    """A source that can put examples where the caller wants them, without making arrays of its own."""

    def fill(self, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        """Put the examples at `indices` into arrays [len(indices), ...]; else as `take`."""
        ...


def fill(source: Source, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
    """Put the examples at `indices` of any source into arrays [len(indices), ...]; the numbers are those of `take`."""
    if hasattr(source, "fill"):
        cast(FillingSource, source).fill(indices, out)
        return
    for name, array in source.take(indices).items():
        out[name][...] = array


def emptied(spec: Mapping[str, ArraySpec], *leading: int) -> Arrays:
    """Arrays of these leading axes for examples to be put into; what they hold is arbitrary."""
    return {name: np.empty((*leading, *item.shape), item.dtype) for name, item in spec.items()}


def filled(source: FillingSource, indices: np.ndarray) -> Arrays:
    """The examples at `indices` in new arrays: `take` for a source that is written around `fill`."""
    out = emptied(source.spec, len(indices))
    source.fill(indices, out)
    return out


@dataclass(frozen=True)
class Blocks:
    """How examples lie together where one cannot be read alone, such as the row groups of a Parquet file.

    Attributes:
      numbers: int64[examples] the block of each example.
      window: how many blocks are read, and mixed with each other, at a time.
    """

    numbers: np.ndarray
    window: int


@dataclass(frozen=True)
class Outline:
    """What a source can tell of itself without loading its data.

    Attributes:
      arrays: batch array name -> shape and dtype of one example.
      classes: how many classes the labels have, or None.
      class_names: their names, or None where they have none (or only the data knows them).
      vocabulary: how many different tokens there are, or None.
      examples: how many examples there are in all, or None where only reading the data tells.
      own: the splits that the source itself names.
      ordered: whether examples overlap their neighbours, so that they are never shuffled before they are split.
    """

    arrays: Mapping[str, ArraySpec]
    classes: int | None = None
    class_names: tuple[str, ...] | None = None
    vocabulary: int | None = None
    examples: int | None = None
    own: tuple[str, ...] = ()
    ordered: bool = False


@dataclass(frozen=True)
class Collection:
    """All examples of a source before they are split and scaled.

    Attributes:
      source: the examples.
      own: the source's own splits as example numbers, or None.
      labels: [examples] class of each, for stratified splits; None where there are none.
      class_names: the names of the classes in order, or None.
      identities: gives bytes for each example that stay the same when examples are added; None: its contents.
      extents: [examples, 2] first and one past the last position that each example covers in the original order; None
        where example i is position i.
      facts: what the source learned from the data and a later load must not learn anew, JSON-able.
      fit: finishes the examples by the training split (an alphabet): example numbers -> (source, facts).
      fill: array name -> how missing values (NaN) in it are filled; no entry: they are refused.
      fixed: array name -> [features] bool, features that are not scaled (one-hot columns).
      on_disk: whether examples are read from the disk when they are asked for, so that neighbours are cheaper together;
        the examples of a split are then in the order of the source.
      blocks: how examples lie together, where one cannot be read alone.
    """

    source: Source
    own: Mapping[str, np.ndarray] | None = None
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    identities: Callable[[], Sequence[bytes]] | None = None
    extents: np.ndarray | None = None
    facts: Facts = field(default_factory=dict)
    fit: Callable[[np.ndarray], tuple[Source, Facts]] | None = None
    fill: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, np.ndarray] = field(default_factory=dict)
    on_disk: bool = False
    blocks: Blocks | None = None

    @property
    def spec(self) -> Mapping[str, ArraySpec]:
        """Batch array name -> shape and dtype of one example."""
        return self.source.spec

    def __len__(self) -> int:
        return len(self.source)

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`, neither split nor scaled."""
        return self.source.take(indices)


def by_part(ends: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For each part that holds some of the rows: its number, their places in `rows`, and their numbers within it.

    Args:
      ends: int[parts], of examples that lie part after part, the number of the first behind each.
      rows: numbers of examples, from 0 on.
    """
    owners = np.searchsorted(ends, rows, side="right")
    for owner in np.unique(owners):
        places = np.flatnonzero(owners == owner)
        yield int(owner), places, rows[places] - (ends[owner - 1] if owner else 0)


def checked(indices: np.ndarray, length: int) -> np.ndarray:
    """The indices as an int64 vector.

    Raises:
      IndexError: one is negative or not below `length`.
    """
    vector = np.asarray(indices, np.int64).reshape(-1)
    if vector.size and (vector.min() < 0 or vector.max() >= length):
        wrong = vector[(vector < 0) | (vector >= length)][0]
        raise IndexError(f"example {wrong} is asked for, but there are examples 0 to {length - 1}")
    return vector


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays one after another along the first axis; a single one is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class ArraySource:
    """Examples that lie in memory as arrays with a common leading axis, all of them finished."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self._length = len(next(iter(self._arrays.values())))
        self.spec = {name: ArraySpec(array.shape[1:], array.dtype.name) for name, array in self._arrays.items()}

    def __len__(self) -> int:
        return self._length

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`."""
        rows = checked(indices, self._length)
        return {name: array[rows] for name, array in self._arrays.items()}

    def fill(self, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        """Put the examples at `indices` into arrays [len(indices), ...]."""
        rows = checked(indices, self._length)
        for name, array in self._arrays.items():
            # The indices are checked; without a mode NumPy would gather into memory of its own first.
            np.take(array, rows, axis=0, out=out[name], mode="clip")
