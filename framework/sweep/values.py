"""The values of a swept key as Python gives them, and the overrides that they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from framework.config.validation.wording import as_override


@dataclass(frozen=True)
class Interval:
    """All numbers between two; whole numbers alone, the ends included, where both are."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        text = f"interval({as_override(self.low)},{as_override(self.high)})"
        return f"log({text})" if self.log else text


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        spelled = ",".join(as_override(value) for value in self.values)
        # Two values with a comma between them may be of any kind; one alone needs the word to be an axis.
        return spelled if len(self.values) > 1 else f"choice({spelled})"


def uniform(low: float, high: float) -> Interval:
    """Any number between `low` and `high`, all equally likely; whole numbers where both are."""
    return Interval(low, high)


def log_uniform(low: float, high: float) -> Interval:
    """Any number between `low` and `high`, both above 0, uniform in its logarithm; whole numbers where both are."""
    return Interval(low, high, log=True)


def choice(*values: Any) -> Choice:
    """One of these values."""
    return Choice(values)


def overrides_of(space: Mapping[str, Any]) -> list[str]:
    """The overrides that span a space.

    Args:
      space: config key or group -> `log_uniform(...)`, `uniform(...)`, `choice(...)`, several values (a list, a range,
        an array), text in Hydra's grammar (`log(interval(1e-4,1e-1))`), or one value that all trials have.
    """
    return [f"{key}={_text(value)}" for key, value in space.items()]


def is_endless(space: Mapping[str, Any]) -> bool:
    """Whether a key has more values than can all be tried."""
    return any(isinstance(value, Interval) or "interval(" in str(value) for value in space.values())


def _text(value: Any) -> str:
    if isinstance(value, str | Interval | Choice):
        return str(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return str(Choice(tuple(value)))
    return as_override(value)
