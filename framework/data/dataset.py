"""A data set that is loaded, split and scaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from framework.data.absent import Nowhere, is_absent
from framework.data.protocol import LABELLED, Arrays, ArraySpec, Blocks, Collection, Facts, Source, checked, fill
from framework.data.recycling import aligned
from framework.data.registry import call, loader
from framework.data.splits import limited, share_out
from framework.data.statistics import Method, Scaler, apply_scalers, measure

_PUT_BYTES = 16 << 20
_RUN = 64
"""Neighbouring examples that statistics are taken of where not all are read."""


class View:
    """Some of a source's examples, scaled.

    Attributes:
      blocks: how they lie together, where one cannot be read alone; for `BatchSchedule`.
    """

    def __init__(
        self,
        source: Source,
        indices: np.ndarray,
        scalers: Mapping[str, Scaler],
        blocks: Blocks | None = None,
    ) -> None:
        self._source = source
        self._indices = indices
        self._scalers = scalers
        self.blocks = None if blocks is None else Blocks(blocks.numbers[indices], blocks.window)
        self.spec: Mapping[str, ArraySpec] = source.spec

    def __len__(self) -> int:
        return len(self._indices)

    @property
    def indices(self) -> np.ndarray:
        """The examples' numbers in the whole data."""
        return self._indices

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`, scaled."""
        rows = self._indices[checked(indices, len(self._indices))]
        return apply_scalers(self._source.take(rows), self._scalers)

    def fill(self, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        """Put the examples at `indices`, scaled, into arrays [len(indices), ...]."""
        fill(self._source, self._indices[checked(indices, len(self._indices))], out)
        for name, scaler in self._scalers.items():
            scaler.apply_into(out[name])


class Dataset:
    """The splits of a recipe's data.

    Attributes:
      splits: split name -> its examples, scaled; `train` is always there.
      spec: batch array name -> shape and dtype of one example.
      classes: the names of the classes in order, or None.
    """

    def __init__(
        self, splits: Mapping[str, View], spec: Mapping[str, ArraySpec], classes: tuple[str, ...] | None, facts: Facts
    ) -> None:
        self.splits = dict(splits)
        self.spec = dict(spec)
        self.classes = classes
        self._facts = facts

    def facts(self) -> Facts:
        """What was learned from the training split and the data, JSON-able.

        Given to `load` again it reproduces the same scaling, classes, categories and alphabet; given to `read_inputs`
        and `normalize_inputs` it prepares new inputs likewise.
        """
        return self._facts

    def nbytes(self, split: str) -> int:
        """Bytes of all arrays of a split, once they are in memory."""
        return len(self.splits[split]) * sum(spec.nbytes for spec in self.spec.values())

    def arrays(self, split: str) -> Arrays:
        """All examples of a split in memory, in order; put there some at a time, so that there is no second copy."""
        source = self.splits[split]
        count = len(source)
        arrays = {name: aligned((count, *item.shape), item.dtype) for name, item in source.spec.items()}
        rows = max(1, _PUT_BYTES // max(1, sum(item.nbytes for item in source.spec.values())))
        for start in range(0, count, rows):
            stop = min(start + rows, count)
            source.fill(np.arange(start, stop), {name: array[start:stop] for name, array in arrays.items()})
        return arrays


def load(section: Any, *, facts: Facts | None = None) -> Dataset:
    """Load, split and scale the data that the section `data` of a recipe declares.

    Args:
      section: an object with the section's fields.
      facts: of an earlier load: nothing is learned anew.

    Raises:
      DataError: the data is not what the section says.
    """
    if facts is not None and is_absent(section):
        return _remembered(section, facts)
    learned = (facts or {}).get("learned", {})
    collection: Collection = call(loader(section.type), section, learned)
    in_order = collection.extents is not None or section.split.type == "contiguous"
    indices = {
        name: limited(rows, section.limit, section.split_seed, in_order=in_order)
        for name, rows in share_out(collection, section.split, section.split_seed).items()
    }
    if collection.on_disk:
        indices = {name: np.sort(rows) for name, rows in indices.items()}
    source, newly = collection.source, dict(collection.facts)
    if collection.fit is not None:
        source, found = collection.fit(indices["train"])
        newly["learned"] = newly.get("learned", {}) | found
    if facts is None:
        count = getattr(section, "statistics_examples", None) if collection.on_disk else None
        rows = _sampled(indices["train"], count, collection.blocks)
        scalers = measure(source, rows, _methods(section, source), collection.fill, collection.fixed)
    else:
        scalers = {name: Scaler.from_facts(item) for name, item in facts["scalers"].items()}
    known = newly | {
        "source": section.type,
        "arrays": {name: {"shape": list(spec.shape), "dtype": spec.dtype} for name, spec in source.spec.items()},
        "scalers": {name: scaler.facts() for name, scaler in scalers.items()},
        "class_names": None if collection.class_names is None else list(collection.class_names),
        "examples": {name: len(rows) for name, rows in indices.items()},
    }
    views = {name: View(source, rows, scalers, collection.blocks) for name, rows in indices.items()}
    return Dataset(views, source.spec, collection.class_names, known)


def _remembered(section: Any, facts: Facts) -> Dataset:
    """Arrays of another process by what a run remembers of them: sizes, scaling and classes; examples are refused."""
    spec = {name: ArraySpec(tuple(item["shape"]), item["dtype"]) for name, item in facts["arrays"].items()}
    source, names = Nowhere(section, spec), facts.get("class_names")
    splits = {name: View(source, np.arange(count), {}) for name, count in facts["examples"].items()}
    return Dataset(splits, spec, None if names is None else tuple(names), facts)


def _sampled(indices: np.ndarray, count: int | None, blocks: Blocks | None) -> np.ndarray:
    """About `count` of the examples, spread evenly: whole blocks, or runs, so that a disk reads neighbours."""
    if count is None or len(indices) <= count:
        return indices
    if blocks is not None:
        numbers = blocks.numbers[indices]
        names = np.unique(numbers)
        wanted = -(-count * len(names) // len(indices))
        return indices[np.isin(numbers, names[np.linspace(0, len(names) - 1, wanted).astype(np.int64)])]
    run = min(_RUN, count)
    starts = np.linspace(0, len(indices) - run, -(-count // run)).astype(np.int64)
    return indices[np.unique((starts[:, None] + np.arange(run)).reshape(-1)[:count])]


def _methods(section: Any, source: Source) -> dict[str, Method]:
    """Array name -> how it is scaled: inputs of real numbers by `normalize`, the target by `normalize_target`."""
    methods: dict[str, Method] = {
        name: getattr(section, "normalize", "none")
        for name, spec in source.spec.items()
        if name not in LABELLED and np.issubdtype(np.dtype(spec.dtype), np.floating)
    }
    if "target" in source.spec:
        methods["target"] = getattr(section, "normalize_target", "none")
    return methods
