"""What can be wrong with arrays in memory, by the name that they go under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from framework.core.errors import Problem
from framework.data.convert import converted_spec

_CHUNK = 1 << 16
_WIDE = np.iinfo(np.int32)


def mistakes(key: str, arrays: Mapping[str, np.ndarray]) -> Iterator[Problem]:
    """A problem for each array that cannot be what its name says.

    Args:
      key: what a problem is told of: `data`, or `data.train`.
    """
    for name, array in arrays.items():
        problem = _kind(key, name, array) or _rank(key, name, array) or _values(key, name, array)
        if problem is not None:
            yield problem


def _kind(key: str, name: str, array: np.ndarray) -> Problem | None:
    kind, told = array.dtype.kind, f"array '{name}' is of {array.dtype if array.dtype.kind != 'U' else 'text'}"
    if name == "label" and kind == "f":
        if array.ndim == 2 and array.shape[1] > 1 and _one_hot(array):
            found = f"array 'label' is one-hot: {list(array.shape)}"
            return Problem(key, found, "the number of each example's class", fix="y.argmax(axis=1)")
        expected = "whole numbers or words; a loss that reads batch.target learns real numbers"
        return Problem(key, told, expected, fix="y.astype(np.int32), or losses=regression")
    if name in ("tokens", "targets") and kind == "f":
        return Problem(key, told, "whole numbers", fix=f"{name}.astype(np.int32)")
    if kind == "U" and name != "label":
        fix = "a data frame, whose text columns become categories" if name == "features" else "numbers"
        return Problem(key, told, "numbers", fix=fix)
    if kind == "U" and array.ndim > 1:
        return Problem(key, f"array 'label' holds several words for an example: {list(array.shape)}", "one word")
    try:
        converted_spec(name, array.shape[1:], array.dtype)
    except TypeError as error:
        return Problem(key, f"array '{name}' ({array.dtype}) {error}", "numbers")
    return None


def _rank(key: str, name: str, array: np.ndarray) -> Problem | None:
    found = f"array '{name}' has shape {list(array.shape)}"
    if name == "image" and array.ndim < 3:
        return Problem(key, found, "[examples, height, width] or [examples, height, width, channels]", fix="reshape it")
    if name == "features" and array.ndim < 2:
        return Problem(key, found, "[examples, features]", fix="x[:, None] for one feature, x[None] for one example")
    if name in ("tokens", "targets") and array.ndim < 2:
        return Problem(key, found, "[examples, time]", fix="tokens.reshape(-1, time)")
    return None


def _values(key: str, name: str, array: np.ndarray) -> Problem | None:
    if name == "target" and array.dtype.kind == "f" and (wrong := _rows(array, finite=True)):
        count, first = wrong
        found = f"array 'target' is NaN or infinite in {count} of {len(array)} examples, first in {first}"
        return Problem(key, found, "finite numbers", fix="keep = np.isfinite(y); (x[keep], y[keep])")
    if array.dtype.kind == "f" and (wrong := _rows(array, finite=False)):
        count, first = wrong
        found = f"array '{name}' is infinite in {count} of {len(array)} examples, first in {first}"
        return Problem(key, found, "finite numbers, or NaN where a value is missing", fix="np.clip, or leave them out")
    if array.dtype.kind not in "iu" or not array.size:
        return None
    low, high = int(array.min()), int(array.max())
    if name in ("label", "tokens", "targets") and low < 0:
        fix = "(y > 0).astype(np.int32)" if name == "label" and low == -1 else "number them from 0"
        return Problem(key, f"array '{name}' holds {low}", "whole numbers from 0", fix=fix)
    if low < _WIDE.min or high > _WIDE.max:
        return Problem(key, f"array '{name}' holds {low} to {high}", "numbers that fit into int32")
    return None


def _one_hot(array: np.ndarray) -> bool:
    return bool(((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all())


def _rows(array: np.ndarray, *, finite: bool) -> tuple[int, int] | None:
    """How many examples hold an infinite number (or, with `finite`, NaN), and the first; None where none does."""
    count, first = 0, -1
    for start in range(0, len(array), _CHUNK):
        part = array[start : start + _CHUNK].reshape(min(_CHUNK, len(array) - start), -1)
        rows = np.flatnonzero((~np.isfinite(part) if finite else np.isinf(part)).any(axis=1))
        first = start + int(rows[0]) if first < 0 and len(rows) else first
        count += len(rows)
    return (count, first) if count else None
