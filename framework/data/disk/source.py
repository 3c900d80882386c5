"""Arrays on the disk as a source: a batch reads its own rows, and nothing else is kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.convert import convert_into, converted_spec
from framework.data.disk.rows import DiskRows
from framework.data.labels import encode_labels
from framework.data.protocol import Arrays, ArraySpec, checked, filled


class DiskArrays:
    """Examples whose arrays stay on the disk.

    Args:
      rows: batch array -> where it lies, all of one length.
      kept: arrays that are finished and in memory, such as labels.
      classes: how many classes a `label` on the disk has, which is checked as it is read; None: not a class.
    """

    def __init__(self, rows: Mapping[str, DiskRows], kept: Arrays | None = None, classes: int | None = None) -> None:
        self._rows = dict(rows)
        self._kept = dict(kept or {})
        self._classes = classes
        self._length = len(next(iter(self._rows.values()))) if rows else len(next(iter(self._kept.values())))
        self._scratch = threading.local()
        self.spec: Mapping[str, ArraySpec] = {
            name: converted_spec(name, array.shape, array.dtype) for name, array in self._rows.items()
        } | {name: ArraySpec(array.shape[1:], array.dtype.name) for name, array in self._kept.items()}

    def __len__(self) -> int:
        return self._length

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`."""
        return filled(self, indices)

    def fill(self, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        """Put the examples at `indices` into arrays [len(indices), ...] of the right shapes and dtypes.

        Raises:
          DataError: a file cannot be read, or holds a number that does not fit.
        """
        rows = checked(indices, self._length)
        for name, array in self._kept.items():
            np.take(array, rows, axis=0, out=out[name], mode="clip")
        for name, array in self._rows.items():
            if array.dtype == out[name].dtype and out[name].flags.c_contiguous:
                array.read(rows, out[name])
            else:
                raw = self._buffer(name, array, len(rows))
                array.read(rows, raw)
                self._refuse_wide(name, raw, rows)
                convert_into(name, raw, out[name])
            self._refuse_label(name, out[name], rows)

    def _buffer(self, name: str, array: DiskRows, count: int) -> np.ndarray:
        """Memory of this thread for what the file holds, used again for the next batch."""
        buffers: dict[str, np.ndarray] = self._scratch.__dict__
        if name not in buffers or len(buffers[name]) < count:
            buffers[name] = np.empty((count, *array.shape), array.dtype)
        return buffers[name][:count]

    def _refuse_wide(self, name: str, raw: np.ndarray, rows: np.ndarray) -> None:
        """Whole numbers are int32 in the batch; a larger one would silently wrap."""
        if self.spec[name].dtype != "int32" or raw.dtype.kind not in "iu" or raw.dtype.itemsize < 4 or not raw.size:
            return
        limits = np.iinfo(np.int32)
        wrong = (raw < limits.min) | (raw > limits.max)
        if wrong.any():
            where = np.argwhere(wrong)[0]
            raise DataError(
                Problem(
                    key="data.arrays",
                    found=f"array '{name}' holds {raw[tuple(where)]} in example {rows[where[0]]}",
                    expected="numbers that fit into int32",
                )
            )

    def _refuse_label(self, name: str, values: np.ndarray, rows: np.ndarray) -> None:
        if name != "label" or self._classes is None:
            return
        each = values[0].size if len(values) else 1
        encode_labels(values, self._classes, None, lambda flat: f"array 'label', example {rows[flat // max(1, each)]},")
