"""A data set that is loaded, split and scaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from framework.data.protocol import LABELLED, Arrays, ArraySpec, Collection, Facts, Source, checked
from framework.data.registry import call, loader
from framework.data.splits import limited, share_out
from framework.data.statistics import Method, Scaler, apply_scalers, measure


class View:
    """Some of a source's examples, scaled."""

    def __init__(self, source: Source, indices: np.ndarray, scalers: Mapping[str, Scaler]) -> None:
        self._source = source
        self._indices = indices
        self._scalers = scalers
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
        """All examples of a split in memory, in order."""
        source = self.splits[split]
        return source.take(np.arange(len(source)))


def load(section: Any, *, facts: Facts | None = None) -> Dataset:
    """Load, split and scale the data that the section `data` of a recipe declares.

    Args:
      section: an object with the section's fields.
      facts: of an earlier load: nothing is learned anew.

    Raises:
      DataError: the data is not what the section says.
    """
    learned = (facts or {}).get("learned", {})
    collection: Collection = call(loader(section.type), section, learned)
    in_order = collection.extents is not None or section.split.type == "contiguous"
    indices = {
        name: limited(rows, section.limit, section.split_seed, in_order=in_order)
        for name, rows in share_out(collection, section.split, section.split_seed).items()
    }
    source, newly = collection.source, dict(collection.facts)
    if collection.fit is not None:
        source, found = collection.fit(indices["train"])
        newly["learned"] = newly.get("learned", {}) | found
    if facts is None:
        scalers = measure(source, indices["train"], _methods(section, source), collection.fill, collection.fixed)
    else:
        scalers = {name: Scaler.from_facts(item) for name, item in facts["scalers"].items()}
    known = newly | {
        "source": section.type,
        "arrays": {name: {"shape": list(spec.shape), "dtype": spec.dtype} for name, spec in source.spec.items()},
        "scalers": {name: scaler.facts() for name, scaler in scalers.items()},
        "class_names": None if collection.class_names is None else list(collection.class_names),
        "examples": {name: len(rows) for name, rows in indices.items()},
    }
    views = {name: View(source, rows, scalers) for name, rows in indices.items()}
    return Dataset(views, source.spec, collection.class_names, known)


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
