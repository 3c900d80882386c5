"""The swept keys as axes of a chart: their short names, and whether they are numbers, logarithmic, or words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from framework.config.validation.wording import as_override

Kind = Literal["linear", "log", "words"]

_LOG_SPAN = 20.0
"""Numbers above zero that span more than this factor, and whose steps grow with them, are drawn on a log axis."""


@dataclass(frozen=True)
class Axis:
    """A swept key.

    Attributes:
      key: as in the recipe.
      label: the end of the key that tells it from the others.
      kind: of scale.
      seed: the key only draws other random numbers, so that trials that differ in it alone repeat one another.
      words: of an axis of kind `words`, its values in order.
    """

    key: str
    label: str
    kind: Kind
    seed: bool
    words: tuple[str, ...] = ()

    def number(self, value: Any) -> float:
        """Where a value lies on the axis: log10 of it on a log axis, its place among the words; NaN where it is unset.

        A trial has no value of an axis whose condition does not hold.
        """
        if value is None:
            return math.nan
        if self.kind == "words":
            return float(self.words.index(as_override(value)))
        return math.log10(value) if self.kind == "log" else float(value)


def axes_of(parameters: Sequence[Mapping[str, Any]], declared: Mapping[str, Any]) -> tuple[Axis, ...]:
    """The axes of a sweep.

    Args:
      parameters: of each trial, swept key -> value.
      declared: key, perhaps behind a `+`, -> what the space says of it; gives the order, and keys no trial has yet.
    """
    keys = list(dict.fromkeys(element.lstrip("+") for element in declared))
    keys += [key for key in dict.fromkeys(key for each in parameters for key in each) if key not in keys]
    texts = {element.lstrip("+"): str(value.get("values", "")) for element, value in declared.items()}
    labels = short_names(keys)
    return tuple(
        _axis(key, labels[key], [each[key] for each in parameters if each.get(key) is not None], texts.get(key, ""))
        for key in keys
    )


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Key -> its shortest end, cut at dots, that no other key has; `type` alone says too little."""
    found = {}
    for key in keys:
        parts = key.split(".")
        fewest = 2 if parts[-1] == "type" else 1
        ends = [".".join(parts[-count:]) for count in range(fewest, len(parts) + 1)]
        found[key] = next(
            (end for end in ends if sum(other == end or other.endswith(f".{end}") for other in keys) == 1), key
        )
    return found


def _axis(key: str, label: str, values: Sequence[Any], declared: str) -> Axis:
    seed = key.rpartition(".")[2] == "seed" or key.endswith("_seed")
    if values and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        finite = all(math.isfinite(value) for value in values)
        if finite:
            return Axis(key, label, "log" if _logarithmic(values, declared) else "linear", seed)
    words = tuple(dict.fromkeys(as_override(value) for value in values))
    return Axis(key, label, "words", seed, words)


def _logarithmic(values: Sequence[float], declared: str) -> bool:
    if min(values) <= 0:
        return False
    if "log(" in declared.replace(" ", ""):
        return True
    ordered = sorted(set(values))
    # A list such as 1e-4, 1e-3, 1e-2, or 16, 64, 256, was meant as powers: its middle lies near the geometric mean.
    middle, low, high = ordered[len(ordered) // 2], ordered[0], ordered[-1]
    geometric, plain = math.sqrt(low * high), (low + high) / 2
    return high >= _LOG_SPAN * low and abs(middle - geometric) < abs(middle - plain)
