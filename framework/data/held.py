"""Arrays of a program's own, found again by a fingerprint of what they hold.

A recipe is text, so its section `data` names such arrays by shape, dtype and fingerprint. Whoever gave them keeps them;
here they are only looked up, and forgotten with their owner. A fingerprint is of contents: two owners of one have the
same arrays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import listed
from framework.data.protocol import Arrays, Facts

WHOLE = "all"
"""The one split of arrays that nobody has split."""

_CHUNK_BYTES = 1 << 24
_here: WeakValueDictionary[str, Held] = WeakValueDictionary()


@dataclass(frozen=True, eq=False)
class Held:
    """Arrays that a program gave as its data, checked and named; they are not copied.

    Attributes:
      splits: split -> batch array -> values with a leading axis of examples; `all` where they are not split.
      columns: the columns that `features` were made of, where a data frame was given.
      categories: column -> its categories, in the order of their features.
    """

    splits: Mapping[str, Arrays]
    columns: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of names, shapes, dtypes and contents, as 64 hexadecimal digits."""
        told = [
            [split, [[name, array.dtype.str, list(array.shape)] for name, array in sorted(arrays.items())]]
            for split, arrays in self.splits.items()
        ]
        named = [told, list(self.columns), [[name, list(items)] for name, items in self.categories.items()]]
        digest = hashlib.sha256(json.dumps(named).encode())
        for arrays in self.splits.values():
            for _, array in sorted(arrays.items()):
                for piece in _pieces(array):
                    digest.update(piece)
        return digest.hexdigest()

    @property
    def arrays(self) -> dict[str, str]:
        """Batch array -> dtype and shape of one example as given: `uint8[8,8]`, `int64`, `text`."""
        return {name: written(array) for name, array in next(iter(self.splits.values())).items()}

    @property
    def examples(self) -> dict[str, int]:
        """Split -> how many examples."""
        return {split: len(next(iter(arrays.values()))) for split, arrays in self.splits.items()}

    def facts(self) -> Facts:
        """What rows of a data frame are read by later, JSON-able."""
        if not self.columns:
            return {}
        categories = {name: list(items) for name, items in self.categories.items()}
        return {"columns": list(self.columns), "learned": {"categorical": categories}}

    def values(self, name: str) -> Iterable[np.ndarray]:
        """An array in each split."""
        return [arrays[name] for arrays in self.splits.values()]


def keep(held: Held) -> Held:
    """Let the arrays be found by their fingerprint for as long as somebody has what is returned."""
    return _here.setdefault(held.fingerprint, held)


def is_here(fingerprint: str | None) -> bool:
    """Whether the arrays of a fingerprint are in this process."""
    return fingerprint in _here


def find(fingerprint: str | None, arrays: Mapping[str, str], examples: Mapping[str, int]) -> Held:
    """The arrays of a fingerprint.

    Raises:
      DataError: none were given, or not in this process.
    """
    held = _here.get(fingerprint) if fingerprint is not None else None
    if held is None:
        raise absent(fingerprint, arrays, examples)
    return held


def absent(fingerprint: str | None, arrays: Mapping[str, str], examples: Mapping[str, int]) -> DataError:
    """What is told where arrays are read that are not here."""
    if fingerprint is None:
        found, expected = "no arrays were given", "arrays of a Python program, or a source of files"
        return DataError(Problem("data.arrays", found, expected, fix="fw.load(RECIPE, data=(x, y)), or data=npz"))
    of = listed(f"{count:,} of {split}" for split, count in examples.items())
    told = listed(f"{name} {word}" for name, word in arrays.items())
    return DataError(
        Problem(
            "data.arrays",
            "the data were arrays in memory, which are not in this process",
            f"the same arrays again: {told}; examples: {of}; fingerprint {fingerprint[:12]}",
            fix="fw.load(RECIPE, data=...) or fw.open_run(PATH, data=...), in Python; predict needs no data",
        )
    )


def written(array: np.ndarray) -> str:
    """Dtype and shape of one example: `uint8[8,8]`, `int64`, `text`."""
    shape = f"[{','.join(map(str, array.shape[1:]))}]" if array.ndim > 1 else ""
    return ("text" if array.dtype.kind == "U" else array.dtype.name) + shape


def read_written(word: str) -> tuple[np.dtype, tuple[int, ...]]:
    """What `written` told: dtype and shape of one example.

    Raises:
      DataError: it tells neither.
    """
    name, _, rest = word.partition("[")
    try:
        dtype = np.dtype("U1" if name == "text" else name)
        return dtype, tuple(int(part) for part in rest.removesuffix("]").split(",")) if rest else ()
    except (TypeError, ValueError):
        raise DataError(Problem("data.arrays", f"found {word!r}", "a dtype and a shape, such as uint8[8,8]")) from None


def _pieces(array: np.ndarray) -> Iterator[memoryview]:
    """The bytes of an array in C order, some rows at a time."""
    rows = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows]).reshape(-1).view(np.uint8).data


def section_of(held: Held) -> dict[str, Any]:
    """What the section `data` says of the arrays: all but classes and vocabulary, which their values tell."""
    return {"type": "arrays", "arrays": held.arrays, "examples": held.examples, "fingerprint": held.fingerprint}
