"""Examples in ArrayRecord files: a record is the bytes of an example's arrays, one array after another.

Each array is in C order and little-endian, without header or padding, in the order in which the recipe lists them; so
all records are of one length, and a batch of them is cut into its arrays without looking at any single record.
`framework.data.record_files.write_records` writes such files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.data.convert import convert_into, converted_spec
from framework.data.labels import encode_labels
from framework.data.paths import Files, by_split, files_of
from framework.data.protocol import Arrays, ArraySpec, Collection, Outline, by_part, checked, filled
from framework.data.record_files import open_records, record_layout, wrong_record
from framework.data.sources.npz import require_label


def describe(
    *, path: Files, arrays: Mapping[str, str], classes: int | None, class_names: Sequence[str] | None
) -> Outline:
    """The outline, by the section alone: the files need not be there."""
    return Outline(
        _spec(arrays, classes),
        classes=classes,
        class_names=None if class_names is None else tuple(class_names),
        own=tuple(by_split(path) or ()),
    )


def array_record(
    *, path: Files, arrays: Mapping[str, str], classes: int | None, class_names: Sequence[str] | None
) -> Collection:
    """The records of the files, one file's after another's, read when they are asked for.

    A label is checked when it is read, so no split can be stratified by it.

    Raises:
      DataError: the package is not installed, or a file is missing or no ArrayRecord file; all of them are told.
    """
    groups = files_of(path)
    files = [(split, file) for split, paths in groups.items() for file in paths]
    readers = open_records([file for _, file in files])
    counts = [int(reader.num_records()) for reader in readers]
    source = Records([file for _, file in files], readers, counts, arrays, _spec(arrays, classes), classes)
    owner = np.repeat(np.arange(len(files)), counts)
    own = {
        split: np.flatnonzero(np.isin(owner, [n for n, (of, _) in enumerate(files) if of == split]))
        for split in groups
        if split is not None
    }
    names = None if class_names is None else tuple(class_names)
    return Collection(source, own=own or None, class_names=names, on_disk=True)


class Records:
    """Records of several files as a source."""

    def __init__(
        self,
        files: Sequence[Path],
        readers: Sequence[Any],
        counts: Sequence[int],
        arrays: Mapping[str, str],
        spec: Mapping[str, ArraySpec],
        classes: int | None,
    ) -> None:
        self.spec = spec
        self._files, self._readers = list(files), list(readers)
        self._ends = np.cumsum(counts)
        self._layout = record_layout(arrays)
        self._classes = classes

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`."""
        return filled(self, indices)

    def fill(self, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        """Put the examples at `indices` into arrays [len(indices), ...].

        Raises:
          DataError: a record is of another length than the recipe says, or a label is outside its classes.
        """
        rows = checked(indices, len(self))
        for owner, places, inside in by_part(self._ends, rows):
            self._fill_from(owner, inside, places, out)

    def _fill_from(self, owner: int, rows: np.ndarray, places: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        size = self._layout.itemsize
        records = self._readers[owner].read(rows.tolist())
        for row, record in zip(rows, records, strict=True):
            if len(record) != size:
                raise wrong_record(self._files[owner], int(row), len(record), self._layout)
        raw = np.frombuffer(b"".join(records), self._layout)
        for name in self.spec:
            finished = np.empty((len(places), *self.spec[name].shape), self.spec[name].dtype)
            convert_into(name, raw[name], finished)
            out[name][places] = finished
        if self._classes is not None:
            each = max(1, raw["label"][0].size)
            encode_labels(
                raw["label"], self._classes, None, lambda at: f"{self._files[owner]} record {rows[at // each]}"
            )


def _spec(arrays: Mapping[str, str], classes: int | None) -> dict[str, ArraySpec]:
    layout = record_layout(arrays)
    spec = {name: converted_spec(name, layout[name].shape, layout[name].base) for name in layout.names or ()}
    require_label(spec, classes)
    return spec
