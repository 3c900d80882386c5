"""Data of a user's own: what the function or class that `_target_` names gives, called with the other words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from framework.core.errors import ConfigError, DataError, Problem
from framework.core.importing import imported, refuse_arguments, told
from framework.core.words import listed
from framework.data.held import Held
from framework.data.in_memory import Wanted, hold
from framework.data.labels import encode_labels
from framework.data.protocol import Arrays, ArraySpec, Collection, Outline, Source, by_part, checked
from framework.data.sources import arrays as in_memory
from framework.data.splits import NAMES

_GIVES = "arrays as fw.load(data=...) takes them, an object with spec, len() and take(indices), or these by split"


def describe(
    *,
    target: str,
    options: Mapping[str, Any],
    classes: int | None,
    class_names: Sequence[str] | None,
    vocabulary: int | None,
) -> Outline:
    """The outline of what the function gives; it is called for it, and once for all that are alike."""
    made = _made(target, options, classes, vocabulary)
    if isinstance(made, Held):
        known = {"classes": classes, "class_names": class_names, "vocabulary": vocabulary}
        return in_memory.describe(**_section(made), **known)
    return Outline(
        made.spec,
        classes=classes,
        class_names=made.class_names or (None if class_names is None else tuple(class_names)),
        vocabulary=vocabulary,
        examples=len(made),
        own=tuple(made.own or ()),
        ordered=made.extents is not None,
    )


def own(
    *,
    target: str,
    options: Mapping[str, Any],
    classes: int | None,
    class_names: Sequence[str] | None,
    vocabulary: int | None,
    context: int | None,
    missing: in_memory.Missing,
) -> Collection:
    """What the function gives: arrays in memory, or examples that are asked for one batch at a time.

    Raises:
      ConfigError: it cannot be imported or called so.
      DataError: it fails, or gives something else.
    """
    made = _made(target, options, classes, vocabulary)
    if isinstance(made, Held):
        known = {"classes": classes, "class_names": class_names, "vocabulary": vocabulary}
        return in_memory.arrays(**_section(made), **known, context=context, missing=missing)
    return made


def _section(held: Held) -> dict[str, Any]:
    return {"arrays": held.arrays, "examples": held.examples, "fingerprint": held.fingerprint}


def _made(target: str, options: Mapping[str, Any], classes: int | None, vocabulary: int | None) -> Held | Collection:
    return _called(target, json.dumps(options, default=repr), _Options(options), classes, vocabulary)


class _Options:
    """Arguments that are equal to all others: the text beside them tells them apart."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        self.words = dict(words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Options)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=2)
def _called(
    target: str, _text: str, options: _Options, classes: int | None, vocabulary: int | None
) -> Held | Collection:
    """Kept, because a recipe is described before it is loaded, and members of a sweep share their data."""
    function = imported(target, "data._target_")
    refuse_arguments(function, target, "data", (), options.words, named=True)
    try:
        found = function(**options.words)
    except ConfigError:
        raise
    except Exception as error:  # the user's code may raise anything
        raise DataError(Problem("data", f"{target} fails: {told(error, function)}", _GIVES)) from error
    made = _understood(found, target, classes, vocabulary)
    if "label" in (made.arrays if isinstance(made, Held) else made.spec) and classes is None:
        fix = f"data.classes={_counted(made)}" if isinstance(made, Held) else "data.classes=N"
        raise DataError(Problem("data.classes", f"{target} gives labels, but classes is not set", "how many", fix=fix))
    return made


def _understood(found: Any, target: str, classes: int | None, vocabulary: int | None) -> Held | Collection:
    if isinstance(found, Collection):
        return found
    if _is_source(found):
        return Collection(Guarded([(None, found)], target, classes), on_disk=True)
    if isinstance(found, Mapping) and found and all(map(_is_source, found.values())):
        unknown = [name for name in found if name not in NAMES]
        if unknown or "train" not in found:
            raise DataError(Problem("data", f"{target} gives the splits {listed(found)}", "train, valid and test"))
        parts = [(name, found[name]) for name in NAMES if name in found]
        source = Guarded(parts, target, classes)
        return Collection(source, own=source.own, on_disk=True)
    if found is None:
        raise DataError(Problem("data", f"{target} gives nothing", _GIVES, fix="a return"))
    answers = ("label",) if classes is not None else ("targets",) if vocabulary is not None else ()
    try:
        return hold(found, Wanted(answers=answers, embeds=vocabulary is not None))
    except DataError as error:
        raise DataError(error.problems, f"what {target} gives") from None


def _counted(held: Held) -> int:
    """How many classes the labels are of."""
    labels = list(held.values("label"))
    words = labels[0].dtype.kind == "U"
    return len({word for array in labels for word in array.tolist()}) if words else 1 + max(map(np.max, labels))


def _is_source(found: Any) -> bool:
    return hasattr(found, "spec") and hasattr(found, "take") and hasattr(found, "__len__")


class Guarded:
    """Sources of a user's own one after another, each batch looked at before it is passed on.

    Args:
      parts: split (None: not split) and source of each.
    """

    def __init__(self, parts: Sequence[tuple[str | None, Source]], target: str, classes: int | None) -> None:
        self._parts = [source for _, source in parts]
        self._target, self._classes = target, classes
        ends = np.cumsum([0, *(len(source) for source in self._parts)])
        self._ends = ends[1:]
        specs = [_spec(source, target) for source in self._parts]
        if any(spec != specs[0] for spec in specs):
            raise DataError(Problem("data", f"the splits that {target} gives differ in their spec", "one spec"))
        self.spec = specs[0]
        self.own = {str(name): np.arange(ends[n], ends[n + 1]) for n, (name, _) in enumerate(parts)}

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, indices: np.ndarray) -> Arrays:
        """The examples at `indices`.

        Raises:
          DataError: the user's source fails, gives what its spec does not say, or a label outside its classes.
        """
        rows = checked(indices, len(self))
        out = {name: np.empty((len(rows), *item.shape), item.dtype) for name, item in self.spec.items()}
        for owner, places, inside in by_part(self._ends, rows):
            for name, values in self._taken(self._parts[owner], inside).items():
                out[name][places] = values
        return out

    def _taken(self, source: Source, rows: np.ndarray) -> Arrays:
        try:
            found = {name: np.asarray(values) for name, values in source.take(rows).items()}
        except ConfigError:
            raise
        except Exception as error:  # the user's code may raise anything
            raise DataError(Problem("data", f"{self._target}: take fails: {told(error, source.take)}")) from error
        for name, item in self.spec.items():
            expected = f"{name} {item.dtype}{[len(rows), *item.shape]}, as spec says"
            if name not in found:
                raise DataError(Problem("data", f"{self._target}: take gives {listed(found)}", expected))
            array = found[name]
            if array.shape != (len(rows), *item.shape) or not np.can_cast(array.dtype, item.dtype, "same_kind"):
                told_ = f"{name} {array.dtype}{list(array.shape)}"
                raise DataError(Problem("data", f"{self._target}: take gives {told_}", expected))
        if self._classes is not None and "label" in self.spec:
            each = max(1, found["label"][:1].size)
            encode_labels(found["label"], self._classes, None, lambda at: f"example {rows[at // each]}")
        return {name: found[name] for name in self.spec}


def _spec(source: Any, target: str) -> dict[str, ArraySpec]:
    try:
        return {
            str(name): ArraySpec(tuple(map(int, item.shape)), np.dtype(item.dtype).name)
            for name, item in source.spec.items()
        }
    except (AttributeError, TypeError) as error:
        expected = "array name -> something with shape and dtype, without the batch axis: framework.data.ArraySpec"
        raise DataError(Problem("data", f"{target}: spec is no mapping of shapes: {error}", expected)) from None
