"""What a Python program gives as data, made into batch arrays by split and by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed
from framework.data.array_mistakes import mistakes
from framework.data.data_frames import is_data_frame
from framework.data.frame_features import FrameFeatures, features_of
from framework.data.held import WHOLE, Held, keep, written
from framework.data.protocol import LABELLED, Arrays
from framework.data.splits import NAMES

_FORMS = "(x, y), a dict of arrays by name, or either by split: {'train': (x, y), 'test': (u, v)}"
_SPELLED = {"val": "valid", "validation": "valid", "dev": "valid", "eval": "valid", "testing": "test"}


@dataclass(frozen=True)
class Wanted:
    """What a recipe reads, so that arrays that come without names can get theirs.

    Attributes:
      inputs: batch arrays that the network reads, as far as the recipe tells; the likeliest first.
      answers: `label`, `target` or `targets`, those that losses read.
      embeds: whether the network turns tokens into vectors.
      strict: whether the inputs are all there are, and as they are called.
    """

    inputs: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    embeds: bool = False
    strict: bool = False


def exactly(names: Iterable[str]) -> Wanted:
    """These batch arrays and no others."""
    known = tuple(names)
    inputs = tuple(name for name in known if name not in LABELLED)
    return Wanted(inputs, tuple(name for name in known if name in LABELLED), strict=True)


def hold(data: Any, wanted: Wanted) -> Held:
    """The arrays of `data`, checked and named; they are not copied, and so must stay as they are while they are used.

    Args:
      data: `(x, y)`; a dict of batch arrays by name; an array or a data frame of inputs alone; or one of these for each
        split, `{"train": ..., "valid": ..., "test": ...}`. `x` and `y` may be dicts by name themselves.
      wanted: names what comes without a name.

    Raises:
      DataError: with everything that is wrong with the arrays.
    """
    parts = _by_split(data)
    problems: list[Problem] = []
    raw = {split: _named(part, wanted, _where(split), problems) for split, part in parts.items()}
    if problems:
        raise DataError(problems)
    return keep(_held(raw))


def hold_as(data: Any, names: Sequence[str], facts: Mapping[str, Any]) -> Held:
    """One split of arrays that are those of a run by name, dtype and shape; a data frame is read by its columns.

    Args:
      data: as for `hold`, without splits.
      names: the run's batch arrays.
      facts: `Dataset.facts()` of the run.

    Raises:
      DataError: an array is missing, or is not like that of the run.
    """
    problems: list[Problem] = []
    raw = _named(data, exactly(names), "data", problems)
    lacking = [name for name in names if name not in raw]
    if lacking and not problems:
        problems.append(Problem("data", f"there is no array '{lacking[0]}'", listed(names)))
    if problems:
        raise DataError(problems)
    return _held({WHOLE: raw}, facts)


def _held(raw: Mapping[str, dict[str, Any]], facts: Mapping[str, Any] | None = None) -> Held:
    frames = {split: part["features"] for split, part in raw.items() if is_data_frame(part.get("features"))}
    made = features_of(frames, facts) if frames else FrameFeatures({})
    splits: dict[str, Arrays] = {}
    problems: list[Problem] = []
    for split, part in raw.items():
        key, arrays = _where(split), {}
        for name, value in (part | made.by_split(split)).items():
            array = _array(key, name, value, problems)
            if array is not None:
                arrays[name] = array
        splits[split] = arrays
        problems += _unequal(key, arrays)
        problems += mistakes(key, arrays)
    problems = problems or _unlike(splits)
    if problems:
        raise DataError(problems)
    return Held(splits, made.columns, made.categories)


def _where(split: str) -> str:
    return "data" if split == WHOLE else f"data.{split}"


def _by_split(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping) or not set(data) & set(NAMES):
        return {WHOLE: data}
    unknown = [name for name in data if name not in NAMES]
    if unknown:
        near = _SPELLED.get(str(unknown[0])) or closest(str(unknown[0]), NAMES)
        fix = f"'{near}' instead of '{unknown[0]}'" if near else "the splits alone, or the arrays alone"
        raise DataError(Problem("data", f"'{unknown[0]}' stands beside splits", listed(NAMES), fix=fix))
    if "train" not in data:
        raise DataError(
            Problem("data", f"splits without 'train': {listed(data)}", "train among them", fix="data={'train': (x, y)}")
        )
    return {name: data[name] for name in NAMES if data.get(name) is not None}


def _named(part: Any, wanted: Wanted, key: str, problems: list[Problem]) -> dict[str, Any]:
    """Batch array -> what was given as it."""
    if isinstance(part, Mapping):
        return _checked_names(part, key, problems)
    if isinstance(part, tuple):
        if len(part) != 2:
            problems.append(Problem(key, f"a tuple of {len(part)}", _FORMS, fix="data=(x, y)"))
            return {}
        inputs, answers = part
        named = _checked_names(inputs, key, problems) if isinstance(inputs, Mapping) else {}
        if not named:
            named = {_input_name(inputs, wanted, key, problems): inputs}
        if isinstance(answers, Mapping):
            return named | _checked_names(answers, key, problems)
        return named | {_answer_name(answers, named, wanted): answers}
    if part is None or isinstance(part, str):
        problems.append(Problem(key, f"found {part!r}", _FORMS, fix="data=(x, y)"))
        return {}
    return {_input_name(part, wanted, key, problems): part}


def _checked_names(arrays: Mapping[Any, Any], key: str, problems: list[Problem]) -> dict[str, Any]:
    if not arrays:
        problems.append(Problem(key, "an empty dict", _FORMS, fix="data=(x, y)"))
    for name in arrays:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name):
            problems.append(Problem(key, f"an array is called {name!r}", "a name of letters, digits and _"))
        elif name == "mask":
            found = "an array is called 'mask', which marks the real rows of a padded batch"
            problems.append(Problem(key, found, "another name", fix="'token_mask' instead of 'mask'"))
    return dict(arrays)


def _input_name(value: Any, wanted: Wanted, key: str, problems: list[Problem]) -> str:
    """What inputs without a name are called."""
    if is_data_frame(value):
        return "features"
    if wanted.strict and len(wanted.inputs) > 1:
        fix = f"({{{', '.join(f'{name!r}: ...' for name in wanted.inputs)}}}, y)"
        problems.append(Problem(key, "one array of inputs is given", f"a dict of {listed(wanted.inputs)}", fix=fix))
    shape, kind = _shape(value), _kind(value)
    if len(shape) == 4 and not wanted.strict and shape[1] in (1, 3) and shape[3] > 4:
        found = f"images of shape {list(shape)}, with their channels first"
        fix = "x.transpose(0, 2, 3, 1), or by name where they are no channels: {'image': x, ...}"
        problems.append(Problem(key, found, "[examples, height, width, channels]", fix=fix))
    for name in wanted.inputs:
        if wanted.strict or _fits(name, shape, kind):
            return name
    if len(shape) == 2 and kind in "iu" and (wanted.embeds or "targets" in wanted.answers):
        return "tokens"
    return "image" if len(shape) == 4 or (len(shape) == 3 and kind == "u") else "features"


def _fits(name: str, shape: tuple[int, ...], kind: str) -> bool:
    if name == "image":
        return len(shape) in (3, 4)
    if name == "tokens":
        return len(shape) == 2 and kind in "iu"
    return name != "features" or len(shape) in (2, 3)


def _answer_name(value: Any, inputs: Mapping[str, Any], wanted: Wanted) -> str:
    """What answers without a name are called: what losses read, else by their kind."""
    if len(wanted.answers) == 1:
        return wanted.answers[0]
    kind = _kind(value)
    if kind in "iu" and "tokens" in inputs and _shape(value) == _shape(inputs["tokens"]):
        return "targets"
    return "target" if kind == "f" else "label"


def _shape(value: Any) -> tuple[int, ...]:
    try:
        return np.shape(value)
    except ValueError:
        return ()


def _kind(value: Any) -> str:
    """The kind of the numbers that a value holds; `O` for what is no array, which is told later."""
    dtype = getattr(value, "dtype", None)
    try:
        return np.asarray(value).dtype.kind if dtype is None else np.dtype(dtype).kind
    except (TypeError, ValueError):
        return "O"


def _array(key: str, name: str, value: Any, problems: list[Problem]) -> np.ndarray | None:
    """A view of a value as an array that the framework can keep: numbers, truth values or text."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        found = f"array '{name}' is no array: {str(error).splitlines()[0]}"
        problems.append(Problem(key, found, "numbers of one shape for every example", fix="np.stack, or padding"))
        return None
    if array.dtype.kind == "V" and "float" in array.dtype.name:
        array = array.astype(np.float32)
    if array.dtype.kind == "O":
        return _of_objects(key, name, array, problems)
    if array.dtype.kind not in "iufbU":
        problems.append(
            Problem(key, f"array '{name}' is of {array.dtype}", "numbers", fix=f"{name}.astype(np.float32)")
        )
        return None
    if array.ndim == 0 or len(array) == 0:
        found = f"array '{name}' {'is a single value' if array.ndim == 0 else 'holds no example'}"
        problems.append(Problem(key, found, "a leading axis of at least one example"))
        return None
    if name == "label" and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    return array


def _of_objects(key: str, name: str, array: np.ndarray, problems: list[Problem]) -> np.ndarray | None:
    flat = array.reshape(-1).tolist()
    if flat and all(isinstance(item, str) for item in flat):
        return array.astype(np.str_)
    other = next((item for item in flat if not isinstance(item, str)), None)
    found = f"array '{name}' holds Python objects, such as {type(other).__name__} ({str(other)[:40]})"
    fix = "np.asarray(values, np.float32), or np.stack of arrays of one shape"
    problems.append(Problem(key, found, "numbers or text, one kind in the whole array", fix=fix))
    return None


def _unequal(key: str, arrays: Arrays) -> list[Problem]:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) < 2:
        return []
    told = ", ".join(f"{name} has {length:,}" for name, length in lengths.items())
    least = min(lengths.values())
    return [Problem(key, f"the lengths differ: {told} examples", "as many examples in every array", fix=f"[:{least}]")]


def _unlike(splits: Mapping[str, Arrays]) -> list[Problem]:
    """A problem for each split that is not like the first."""
    first, *others = splits
    problems = []
    for split in others:
        here, there = _alike(splits[first].items()), _alike(splits[split].items())
        if here != there:
            found, expected = _told(splits[split]), f"{_told(splits[first])}, as {first} does"
            problems.append(Problem(_where(split), f"holds {found}", expected))
    return problems


def _told(arrays: Arrays) -> str:
    return ", ".join(f"{name} {written(array)}" for name, array in arrays.items())


def _alike(arrays: Iterable[tuple[str, np.ndarray]]) -> dict[str, Any]:
    """What must agree; bytes are apart from other whole numbers, because as an image they are scaled."""
    return {name: (array.shape[1:], array.dtype.kind, array.dtype == np.uint8) for name, array in arrays}
