"""One axis of a sweep: a key, and what Hydra's grammar says of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import IntervalSweep

from framework.config.compose.overrides import Word
from framework.core.errors import ConfigError, Problem


@dataclass(frozen=True)
class Axis:
    """A key that takes several values.

    Attributes:
      key: the config key with dots, or the config group.
      element: the key as typed, with a `+` or `++` before it where there was one.
      text: the values as typed.
      origin: who declared it.
      for_hydra: the whole override as Hydra's own sweepers take it.
      values: each value as an override spells it; None for an interval.
      low: where the interval begins.
      high: where it ends; an interval of whole numbers includes it.
      log: the logarithm is what is uniform.
      integer: whole numbers alone.
      when: (key, admitted values): the axis exists only where each of these keys has one of its values.
    """

    key: str
    element: str
    text: str
    origin: str
    for_hydra: str
    values: tuple[str, ...] | None
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    integer: bool = False
    when: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def override(self, value: str) -> str:
        """The override that gives the key one value."""
        return f"{self.element}={value}"

    def spelled(self, number: float) -> str:
        """A number of the interval as an override spells it, with six digits, so that it can be copied."""
        if self.integer:
            return str(min(max(round(number), round(self.low)), round(self.high)))
        return repr(min(max(float(f"{number:.6g}"), self.low), self.high))

    def declaration(self) -> dict[str, Any]:
        """What the axis says, as plain data, to be compared."""
        return {"values": self.text, **({"when": {key: list(words) for key, words in self.when}} if self.when else {})}


def axis_of(
    word: Word, loader: ConfigLoader, origin: str = "", when: Mapping[str, tuple[Any, ...]] | None = None
) -> Axis:
    """The axis that an override spans; one value makes an axis with one value.

    Raises:
      ConfigError: it has no value, or its interval has no inside.
    """
    parsed = word.parsed
    parsed.config_loader = loader
    element, _, text = word.text.partition("=")
    about: dict[str, Any] = {
        "key": word.key,
        "element": element,
        "text": text,
        "origin": origin or word.origin,
        "for_hydra": word.for_hydra,
        "when": tuple((when or {}).items()),
    }
    if not parsed.is_sweep_override():
        return Axis(values=(text,), **about)
    if not parsed.is_interval_sweep():
        values = tuple(parsed.sweep_string_iterator())
        if not values:
            raise ConfigError(
                Problem(word.key, f"{text} has no values", "at least one", about["origin"], f"{element}=range(8)")
            )
        return Axis(values=values, **about)
    return _interval(parsed.value(), about)


def _interval(sweep: Any, about: dict[str, Any]) -> Axis:
    assert isinstance(sweep, IntervalSweep)
    assert sweep.start is not None
    assert sweep.end is not None
    low, high, log = sweep.start, sweep.end, "log" in sweep.tags
    key, element, origin = about["key"], about["element"], about["origin"]
    if low >= high:
        found, fix = f"the interval from {low:g} to {high:g} has no inside", f"{element}=interval({high:g},{low:g})"
        raise ConfigError(Problem(key, found, "a start below the end", origin, fix))
    if log and low <= 0:
        found = f"the logarithm of {low:g} does not exist"
        raise ConfigError(
            Problem(key, found, "an interval above 0", origin, f"{element}=log(interval({high / 1000:g},{high:g}))")
        )
    integer = isinstance(low, int) and isinstance(high, int)
    return Axis(values=None, low=float(low), high=float(high), log=log, integer=integer, **about)


def first_value(word: Word, loader: ConfigLoader) -> str:
    """One value of an axis, as an override spells it: the first, or the lower end of an interval.

    Raises:
      ConfigError: as for `axis_of`.
    """
    axis = axis_of(word, loader)
    return axis.values[0] if axis.values else axis.spelled(axis.low)
