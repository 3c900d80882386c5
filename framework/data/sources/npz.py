"""Arrays in NPZ files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.convert import convert, converted_spec
from framework.data.disk.parts import Part, collect
from framework.data.disk.stored import read_members
from framework.data.labels import encode_labels
from framework.data.npz_file import Header, read_arrays, read_headers, require_arrays
from framework.data.paths import Files, by_split, files_of
from framework.data.protocol import Arrays, ArraySpec, Collection, Outline, checked, joined

_MAPPED_FROM_BYTES = 1 << 30

ArrayNames = Mapping[str, str] | Any | None
"""Batch array -> array in the file, or an object with such a mapping for each split."""


def describe(*, path: Files, arrays: ArrayNames, classes: int | None, class_names: Sequence[str] | None) -> Outline:
    """The outline, from the headers of the files."""
    parts = _parts(path, arrays)
    spec = _common_spec(parts)
    require_label(spec, classes)
    return Outline(
        spec,
        classes=classes,
        class_names=None if class_names is None else tuple(class_names),
        examples=sum(part.length for part in parts),
        own=tuple(dict.fromkeys(part.split for part in parts if part.split is not None)),
    )


def npz(
    *,
    path: Files,
    arrays: ArrayNames,
    classes: int | None,
    class_names: Sequence[str] | None,
    mapped: bool | Literal["auto"],
) -> Collection:
    """The arrays of the files, one file's examples after another's: in memory, or read from the disk as they are asked
    for, which gives the same batches."""
    parts = _parts(path, arrays)
    spec = _common_spec(parts)
    require_label(spec, classes)
    nbytes = sum(part.nbytes for part in parts)
    if mapped is True or (mapped == "auto" and nbytes >= _MAPPED_FROM_BYTES):
        stored = [_stored(part, demanded=mapped is True) for part in parts]
        found = [part for part in stored if part is not None]
        if len(found) == len(stored):
            return collect(found, classes, class_names, on_disk=False)
    loaded = [part.load() for part in parts]
    raw = {name: joined([item[name] for item in loaded]) for name in spec}
    _refuse_wide(raw, spec)
    names = None if class_names is None else tuple(class_names)
    if classes is not None:
        lengths = [part.length for part in parts]
        raw["label"], names = encode_labels(raw["label"], classes, class_names, _Place(raw["label"], parts, lengths))
    part_of = np.repeat(np.arange(len(parts)), [part.length for part in parts])
    splits = dict.fromkeys(part.split for part in parts if part.split is not None)
    own = {
        split: np.flatnonzero(np.isin(part_of, [index for index, part in enumerate(parts) if part.split == split]))
        for split in splits
    }
    labels = raw["label"] if classes is not None and raw["label"].ndim == 1 else None
    learned = {"class_names": list(names)} if names is not None else {}
    return Collection(
        _NpzArrays(raw, spec), own=own or None, labels=labels, class_names=names, facts={"learned": learned}
    )


def _stored(part: _Part, *, demanded: bool) -> Part | None:
    """Where the arrays of a file lie in it, or None where one is compressed.

    Raises:
      DataError: one is compressed, and mapping was demanded.
    """
    members = read_members(part.path)
    packed = [source for source in part.names.values() if source not in members]
    if packed and demanded:
        raise DataError(
            Problem(
                key="data.mapped",
                found=f"'{part.path}' holds {', '.join(packed)} compressed, so single rows of it cannot be read",
                expected="arrays that are not compressed",
                fix="np.savez instead of np.savez_compressed, or data.mapped=false",
            )
        )
    if packed:
        return None
    return Part(part.split, f"'{part.path}'", {name: [members[source]] for name, source in part.names.items()})


class _NpzArrays:
    """Arrays as the file has them; each batch is converted on the way out, so that bytes stay bytes in memory."""

    def __init__(self, raw: Mapping[str, np.ndarray], spec: Mapping[str, ArraySpec]) -> None:
        self._raw = raw
        self.spec = spec

    def __len__(self) -> int:
        return len(next(iter(self._raw.values())))

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`."""
        rows = checked(indices, len(self))
        return {name: convert(name, array[rows]) for name, array in self._raw.items()}


class _Part:
    """What one file gives to one split."""

    def __init__(self, split: str | None, path: Path, names: Mapping[str, str], headers: dict[str, Header]) -> None:
        require_arrays(path, headers, names.values(), "data.arrays")
        self.split = split
        self.path = path
        self.names = names
        self.headers = {name: headers[stored] for name, stored in names.items()}
        self.length = self._length()

    def _length(self) -> int:
        flat = [name for name, (shape, _) in self.headers.items() if not shape]
        if flat:
            raise DataError(
                Problem(
                    key="data.arrays",
                    found=f"'{self.path}': {', '.join(flat)} is a single number, not one for each example",
                    expected="arrays whose first axis counts the examples",
                    fix="name the arrays to use, e.g. data.arrays='{image: x, label: y}'",
                )
            )
        lengths = {name: shape[0] for name, (shape, _) in self.headers.items()}
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise DataError(
                Problem(
                    key="data.arrays",
                    found=f"'{self.path}' is ragged: {told} examples" if lengths else f"'{self.path}' holds no array",
                    expected="as many examples in every array",
                )
            )
        return next(iter(lengths.values()))

    def spec(self) -> dict[str, ArraySpec]:
        found, problems = {}, []
        for name, (shape, dtype) in self.headers.items():
            try:
                found[name] = converted_spec(name, shape[1:], dtype)
            except TypeError as error:
                problems.append(
                    Problem("data.arrays", f"'{self.path}': array '{self.names[name]}' ({dtype}) {error}", "see docs")
                )
        if problems:
            raise DataError(problems)
        return found

    @property
    def nbytes(self) -> int:
        return sum(math.prod(shape) * dtype.itemsize for shape, dtype in self.headers.values())

    def load(self) -> Arrays:
        stored = read_arrays(self.path, self.names.values())
        return {name: stored[source] for name, source in self.names.items()}


class _Place:
    """Where a label stands, for errors."""

    def __init__(self, labels: np.ndarray, parts: Sequence[_Part], lengths: Sequence[int]) -> None:
        self._each = labels.size // max(1, len(labels))
        self._parts = parts
        self._ends = np.cumsum(lengths)

    def __call__(self, flat: int) -> str:
        row = flat // max(1, self._each)
        index = int(np.searchsorted(self._ends, row, side="right"))
        part = self._parts[index]
        first = int(self._ends[index - 1]) if index else 0
        return f"{part.path} array '{part.names['label']}' example {row - first}"


def _parts(path: Files, arrays: ArrayNames) -> list[_Part]:
    groups = files_of(path)
    nested = not isinstance(arrays, Mapping) or all(isinstance(item, Mapping) for item in arrays.values())
    split_arrays = by_split(arrays) if arrays and nested else None
    if split_arrays is not None and None not in groups:
        raise DataError(
            Problem(
                key="data.arrays",
                found="both path and arrays name the splits",
                expected="a file for each split, or the arrays of each split in one file",
                fix="data.path=one_file.npz",
            )
        )
    found = []
    for split, files in groups.items():
        for file in files:
            headers = read_headers(file)
            if split_arrays is not None:
                found += [_Part(name, file, dict(names), headers) for name, names in split_arrays.items()]
            else:
                found.append(_Part(split, file, _names(arrays, headers), headers))
    return found


def _names(arrays: Any, headers: Mapping[str, Header]) -> dict[str, str]:
    return dict(arrays) if arrays else {name: name for name in headers}


def _common_spec(parts: Sequence[_Part]) -> dict[str, ArraySpec]:
    spec = parts[0].spec()
    for part in parts[1:]:
        other = part.spec()
        if other != spec:
            raise DataError(
                Problem(
                    key="data.path",
                    found=f"'{part.path}' holds {_told(other)}",
                    expected=f"{_told(spec)}, as '{parts[0].path}' does",
                )
            )
    return spec


def _told(spec: Mapping[str, ArraySpec]) -> str:
    return ", ".join(f"{name} {item.dtype}{list(item.shape)}" for name, item in sorted(spec.items()))


def require_label(spec: Mapping[str, ArraySpec], classes: int | None) -> None:
    """An array `label` and a number of classes come together."""
    if classes is not None and "label" not in spec:
        raise DataError(
            Problem(
                key="data.arrays",
                found=f"classes is {classes}, but no array is called label",
                expected=f"label among {', '.join(spec)}",
                fix="data.arrays='{image: x, label: y}', or data.classes=null",
            )
        )
    if classes is None and "label" in spec:
        raise DataError(
            Problem(
                key="data.classes",
                found="an array is called label, but classes is not set",
                expected="how many classes there are",
                fix="data.classes=N, or another name for the array: data.arrays='{image: x, answer: label}'",
            )
        )


def _refuse_wide(raw: Mapping[str, np.ndarray], spec: Mapping[str, ArraySpec]) -> None:
    """Whole numbers are int32 in the batch; a larger one would silently wrap."""
    limits = np.iinfo(np.int32)
    problems = [
        Problem("data.arrays", f"array '{name}' holds {array.min()} to {array.max()}", "numbers that fit into int32")
        for name, array in raw.items()
        if spec[name].dtype == "int32"
        and array.dtype.kind in "iu"
        and array.size
        and (array.min() < limits.min or array.max() > limits.max)
    ]
    if problems:
        raise DataError(problems)
