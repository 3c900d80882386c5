"""Class labels: what the data holds, checked against what the recipe declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed

_TOLD = 3
"""How many wrong labels are named before the rest is only counted."""


def require_classes(declared: int, actual: int, what: str) -> None:
    """Refuse a number of classes that the data does not have.

    Raises:
      DataError: `declared` is not `actual`.
    """
    if declared != actual:
        raise DataError(
            Problem(
                key="data.classes",
                found=f"{declared} classes are declared, but {what} has {actual}",
                expected=str(actual),
                fix=f"data.classes={actual}",
            )
        )


def encode_labels(
    values: np.ndarray, classes: int, class_names: Sequence[str] | None, place: Callable[[int], str]
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Class numbers, and the names of the classes where they have some.

    With `class_names`, a label is one of them. Without, labels that are whole numbers stand for themselves and must lie
    in [0, classes); other labels are names, which are sorted and must be as many as `classes`.

    Args:
      values: numbers or strings, of any shape.
      place: tells where the label with a (flat) number stands, e.g. `flowers.csv row 3 (line 4), column 'species'`.

    Returns:
      int32 labels of the shape of `values`, and the names or None.

    Raises:
      DataError: a label is outside its classes.
    """
    flat = values.reshape(-1)
    if class_names is None:
        numbers = _whole(flat)
        if numbers is not None:
            _refuse(flat, (numbers < 0) | (numbers >= classes), place, f"0 to {classes - 1}", _counted(numbers))
            return numbers.astype(np.int32).reshape(values.shape), None
    words = np.array([_word(value) for value in flat.tolist()], dtype=object)
    found = sorted(set(words))
    if class_names is None:
        if len(found) != classes:
            raise DataError(
                Problem(
                    key="data.classes",
                    found=f"{classes} classes are declared, but the labels are of {len(found)}: {listed(found)}",
                    expected=str(len(found)),
                    fix=f"data.classes={len(found)}",
                )
            )
        class_names = found
    number = {name: index for index, name in enumerate(class_names)}
    labels = np.array([number.get(word, -1) for word in words], np.int32)
    _refuse(words, labels < 0, place, listed(class_names), None, class_names)
    return labels.reshape(values.shape), tuple(class_names)


def _whole(flat: np.ndarray) -> np.ndarray | None:
    """int64 values where all of them are whole numbers (also when written as text), else None."""
    if flat.dtype.kind in "iub":
        return flat.astype(np.int64)
    try:
        numbers = np.array(flat.tolist(), np.float64)
    except ValueError:
        return None
    whole = np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    return numbers.astype(np.int64) if whole else None


def _word(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _shown(value: object) -> str:
    return repr(str(value)) if isinstance(value, str) else str(value)


def _counted(numbers: np.ndarray) -> str | None:
    """The override that would take all labels in, where one does."""
    return f"data.classes={int(numbers.max()) + 1}" if numbers.size and numbers.min() >= 0 else None


def _refuse(
    values: np.ndarray,
    wrong: np.ndarray,
    place: Callable[[int], str],
    expected: str,
    fix: str | None,
    names: Sequence[str] = (),
) -> None:
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    told = [f"{place(int(row))} holds the label {_shown(values[row])}" for row in rows[:_TOLD]]
    if len(rows) > _TOLD:
        told.append(f"and {len(rows) - _TOLD} more")
    near = closest(str(values[rows[0]]), names)
    fix = fix or (f"write '{near}' there" if near else "number the classes from 0, or name all of data.class_names")
    raise DataError(Problem("data.classes", "outside its classes: " + "; ".join(told), expected, fix=fix))
