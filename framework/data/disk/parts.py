"""Arrays of several files as one: what a split takes from them, checked against each other before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import listed
from framework.data.convert import converted_spec
from framework.data.disk.rows import DiskRows
from framework.data.disk.source import DiskArrays
from framework.data.disk.stored import StoredArray
from framework.data.labels import encode_labels
from framework.data.protocol import Arrays, ArraySpec, Collection


@dataclass(frozen=True)
class Part:
    """What one folder or file gives to one split: batch array -> the files that it lies in, one after another."""

    split: str | None
    where: str
    arrays: Mapping[str, Sequence[StoredArray]]

    @property
    def length(self) -> int:
        """How many examples there are."""
        return sum(array.shape[0] for array in next(iter(self.arrays.values())))


def common_spec(parts: Sequence[Part], classes: int | None) -> dict[str, ArraySpec]:
    """Batch array -> shape and dtype of one example.

    Raises:
      DataError: an array is not made of numbers, has no axis of examples or another length or shape than the others,
        or parts hold other arrays; all problems are told.
    """
    problems: list[Problem] = []
    specs = [_spec(part, problems) for part in parts]
    if problems:
        raise DataError(problems)
    for part, spec in zip(parts[1:], specs[1:], strict=True):
        if spec != specs[0]:
            problems.append(
                Problem(
                    "data.path", f"{part.where} holds {_told(spec)}", f"{_told(specs[0])}, as {parts[0].where} does"
                )
            )
    for part, spec in zip(parts, specs, strict=True):
        problems += _unequal(part)
        if ("label" in spec) != (classes is not None):
            problems.append(_label_problem(part, spec, classes))
            break
    if problems:
        raise DataError(problems)
    return specs[0]


def collect(
    parts: Sequence[Part], classes: int | None, class_names: Sequence[str] | None, *, on_disk: bool = True
) -> Collection:
    """The examples of all parts, one after another; labels of one class each are read now, all else when asked for.

    Raises:
      DataError: as `common_spec`, or a label is outside its classes.
    """
    spec = common_spec(parts, classes)
    rows = {name: DiskRows([array for part in parts for array in part.arrays[name]]) for name in spec}
    kept: Arrays = {}
    names = None if class_names is None else tuple(class_names)
    if classes is not None and rows["label"].shape in ((), (1,)):
        label = rows.pop("label")
        kept["label"], names = encode_labels(label.everything(), classes, class_names, _Place(label))
    ends = np.cumsum([part.length for part in parts])
    splits = dict.fromkeys(part.split for part in parts if part.split is not None)
    own = {
        split: np.concatenate(
            [
                np.arange(end - part.length, end)
                for part, end in zip(parts, ends.tolist(), strict=True)
                if part.split == split
            ]
        )
        for split in splits
    }
    return Collection(
        DiskArrays(rows, kept, classes),
        own=own or None,
        labels=kept["label"] if "label" in kept and kept["label"].ndim == 1 else None,
        class_names=names,
        facts={"learned": {"class_names": list(names)} if names is not None else {}},
        on_disk=on_disk,
    )


class _Place:
    """Where a label stands, for errors."""

    def __init__(self, rows: DiskRows) -> None:
        self._arrays = rows.arrays

    def __call__(self, flat: int) -> str:
        for array in self._arrays:
            if flat < array.shape[0]:
                return f"{array.where}, example {flat},"
            flat -= array.shape[0]
        raise IndexError(f"there is no label {flat}")


def _spec(part: Part, problems: list[Problem]) -> dict[str, ArraySpec]:
    found: dict[str, ArraySpec] = {}
    for name, arrays in part.arrays.items():
        first = arrays[0]
        for array in arrays:
            if not array.shape:
                problems.append(
                    Problem(
                        "data.arrays",
                        f"{array.where} is a single number, not one for each example",
                        "an array whose first axis counts the examples",
                        fix="name the arrays to use: data.arrays='{image: x.npy, label: y.npy}'",
                    )
                )
            elif (array.shape[1:], array.dtype) != (first.shape[1:], first.dtype) and first.shape:
                problems.append(
                    Problem(
                        "data.path",
                        f"{array.where} holds {array.dtype}{list(array.shape[1:])} for an example",
                        f"{first.dtype}{list(first.shape[1:])}, as {first.where} does",
                        fix="write all parts of an array alike",
                    )
                )
        try:
            found[name] = converted_spec(name, first.shape[1:], first.dtype)
        except TypeError as error:
            problems.append(
                Problem(
                    "data.arrays",
                    f"{first.where} ({first.dtype}), used as '{name}', {error}",
                    "whole numbers" if "whole" in str(error) else "an array of integers, real numbers or booleans",
                    fix="np.save(path, x.astype(np.int32))" if "whole" in str(error) else "leave it out of data.arrays",
                )
            )
        if name == "label" and first.dtype.kind == "U" and len(first.shape) > 1:
            problems.append(
                Problem(
                    "data.arrays",
                    f"{first.where} holds several words for an example",
                    "one word for an example, or whole numbers",
                    fix="save the numbers of the classes",
                )
            )
    return found


def _unequal(part: Part) -> list[Problem]:
    lengths = {name: sum(array.shape[0] for array in arrays) for name, arrays in part.arrays.items()}
    if len(set(lengths.values())) == 1:
        return []
    told = ", ".join(f"{name} has {length:,}" for name, length in lengths.items())
    shortest = min(lengths, key=lengths.__getitem__)
    return [
        Problem(
            "data.arrays",
            f"the arrays of {part.where} are of different lengths: {told} examples",
            "as many examples in every array",
            fix=f"write {part.arrays[shortest][0].where} again, with all its examples",
        )
    ]


def _label_problem(part: Part, spec: Mapping[str, ArraySpec], classes: int | None) -> Problem:
    if classes is None:
        return Problem(
            "data.classes",
            f"{part.where} has an array label, but classes is not set",
            "how many classes there are",
            fix="data.classes=N, or another name for the array: data.arrays='{answer: label.npy}'",
        )
    return Problem(
        "data.arrays",
        f"classes is {classes}, but no array is called label",
        f"label among {listed(spec)}",
        fix="data.arrays='{image: x.npy, label: y.npy}', or data.classes=null",
    )


def _told(spec: Mapping[str, ArraySpec]) -> str:
    return ", ".join(f"{name} {item.dtype}{list(item.shape)}" for name, item in sorted(spec.items()))
