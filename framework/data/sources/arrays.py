"""Arrays that a Python program gave, in the memory of its process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.convert import convert, converted_spec
from framework.data.held import WHOLE, Held, absent, find, read_written
from framework.data.labels import encode_labels
from framework.data.protocol import LABELLED, Arrays, ArraySpec, Collection, Outline, by_part, checked, joined

Missing = Literal["error", "mean", "zero"]


def describe(
    *,
    arrays: Mapping[str, str],
    examples: Mapping[str, int],
    fingerprint: str | None,
    classes: int | None,
    class_names: Sequence[str] | None,
    vocabulary: int | None,
) -> Outline:
    """The outline, by the section alone: the arrays need not be there."""
    if not arrays:
        raise absent(fingerprint, arrays, examples)
    return Outline(
        _spec(arrays),
        classes=classes,
        class_names=None if class_names is None else tuple(class_names),
        vocabulary=vocabulary,
        examples=sum(examples.values()),
        own=tuple(split for split in examples if split != WHOLE),
    )


def arrays(
    *,
    arrays: Mapping[str, str],
    examples: Mapping[str, int],
    fingerprint: str | None,
    classes: int | None,
    class_names: Sequence[str] | None,
    vocabulary: int | None,
    context: int | None,
    missing: Missing,
) -> Collection:
    """The arrays of the fingerprint, one split's examples after another's. They are converted batch by batch, so that
    bytes stay bytes in memory.

    Raises:
      DataError: they are not in this process, a label is outside its classes, a token outside the vocabulary, or a
        value is missing where none may be.
    """
    held = find(fingerprint, arrays, examples)
    spec = _spec(arrays)
    problems = [*_tokens(held, vocabulary), *(_gaps(held, spec) if missing == "error" else [])]
    if problems:
        raise DataError(problems)
    parts = [dict(part) for part in held.splits.values()]
    names = None if class_names is None else tuple(class_names)
    if "label" in spec and classes is not None:
        labels = joined([part["label"] for part in parts])
        # Numbers stand for themselves, also where their classes have names.
        encoded, found = encode_labels(labels, classes, names if labels.dtype.kind == "U" else None, _place(held))
        names = names or found
        ends = np.cumsum([len(part["label"]) for part in parts])[:-1]
        for part, values in zip(parts, np.split(encoded, ends), strict=True):
            part["label"] = values
    source = _Parts(parts, spec)
    facts = held.facts()
    learned = facts.get("learned", {}) | ({"class_names": list(names)} if names is not None else {})
    stratifiable = "label" in spec and spec["label"].shape == ()
    return Collection(
        source,
        own=None if WHOLE in held.splits else _own(held),
        labels=joined([part["label"] for part in parts]) if stratifiable else None,
        class_names=names,
        facts=facts | {"learned": learned, "fingerprint": held.fingerprint},
        fill={} if missing == "error" else {name: missing for name, item in spec.items() if _fillable(name, item)},
        fixed=_fixed(held),
    )


class _Parts:
    """Arrays of several splits one after another, none of them copied."""

    def __init__(self, parts: Sequence[Arrays], spec: Mapping[str, ArraySpec]) -> None:
        self.spec = spec
        self._parts = parts
        self._ends = np.cumsum([len(next(iter(part.values()))) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`."""
        rows = checked(indices, len(self))
        found = [(places, self._of(part, inside)) for part, places, inside in by_part(self._ends, rows)]
        if len(found) == 1:
            return found[0][1]
        out = {name: np.empty((len(rows), *item.shape), item.dtype) for name, item in self.spec.items()}
        for places, values in found:
            for name, array in values.items():
                out[name][places] = array
        return out

    def _of(self, part: int, rows: np.ndarray) -> Arrays:
        return {name: convert(name, self._parts[part][name][rows]) for name in self.spec}


def _spec(arrays: Mapping[str, str]) -> dict[str, ArraySpec]:
    found = {}
    for name, word in arrays.items():
        dtype, shape = read_written(word)
        try:
            found[name] = converted_spec(name, shape, dtype)
        except TypeError as error:
            raise DataError(Problem("data.arrays", f"array '{name}' ({word}) {error}", "numbers")) from None
    return found


def _own(held: Held) -> dict[str, np.ndarray]:
    ends = np.cumsum([0, *held.examples.values()])
    return {split: np.arange(ends[index], ends[index + 1]) for index, split in enumerate(held.splits)}


def _fillable(name: str, spec: ArraySpec) -> bool:
    return name not in LABELLED and spec.dtype == "float32"


def _fixed(held: Held) -> dict[str, np.ndarray]:
    """The features that are 0 or 1 for a category."""
    if not held.categories:
        return {}
    flags = [[True] * len(held.categories[name]) if name in held.categories else [False] for name in held.columns]
    return {"features": np.array([flag for part in flags for flag in part], bool)}


def _place(held: Held) -> Callable[[int], str]:
    """Tells where a label stands."""
    ends = np.cumsum([array.size for array in held.values("label")])
    splits = list(held.splits)

    def place(flat: int) -> str:
        index = int(np.searchsorted(ends, flat, side="right"))
        array = held.splits[splits[index]]["label"]
        row = (flat - (int(ends[index - 1]) if index else 0)) // max(1, array[0].size)
        return f"example {row}{'' if splits[index] == WHOLE else f' of {splits[index]}'}"

    return place


def _tokens(held: Held, vocabulary: int | None) -> list[Problem]:
    """A problem for each array of tokens that holds more than the vocabulary."""
    problems = []
    for split, arrays in held.splits.items():
        for name in ("tokens", "targets"):
            if vocabulary is not None and name in arrays and (highest := int(arrays[name].max())) >= vocabulary:
                of = "" if split == WHOLE else f" of {split}"
                found = f"array '{name}'{of} holds the token {highest}, but the vocabulary is {vocabulary}"
                fix = f"data.vocabulary={highest + 1}"
                problems.append(Problem("data.vocabulary", found, f"0 to {vocabulary - 1}", fix=fix))
    return problems


def _gaps(held: Held, spec: Mapping[str, ArraySpec]) -> list[Problem]:
    """A problem for each input that has missing values."""
    problems = []
    for split, arrays in held.splits.items():
        for name, array in arrays.items():
            if not _fillable(name, spec[name]) or array.dtype.kind != "f":
                continue
            rows = np.flatnonzero(np.isnan(array).reshape(len(array), -1).any(axis=1))
            if len(rows):
                of = "" if split == WHOLE else f" of {split}"
                found = f"array '{name}'{of} holds NaN in {len(rows)} of {len(array)} examples, first in {rows[0]}"
                problems.append(
                    Problem("data.missing", found, "numbers", fix="data.missing=mean (or zero), or leave them out")
                )
    return problems
