"""Axes as Optuna's distributions, and what a trial suggests as overrides spell it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from framework.sweep.space import Dimension, Space

_WHOLE = re.compile(r"[+-]?\d+")


def distribution(part: Dimension) -> BaseDistribution:
    """An interval is a float or, of whole numbers, an int; a range is an int; other values are categories."""
    axis = part.axes[0]
    if axis.values is None and axis.integer:
        return IntDistribution(round(axis.low), round(axis.high), log=axis.log)
    if axis.values is None:
        return FloatDistribution(axis.low, axis.high, log=axis.log)
    steps = whole_steps(part)
    if steps is not None:
        return IntDistribution(steps[0], steps[-1], step=steps.step)
    if len(part.axes) > 1:
        return CategoricalDistribution([str(index) for index in range(part.size or 0)])
    return CategoricalDistribution(list(dict.fromkeys(axis.values)))


def whole_steps(part: Dimension) -> range | None:
    """The whole numbers of an axis that was written as `range(...)`; None of any other."""
    axis = part.axes[0]
    values = axis.values or ()
    if len(part.axes) > 1 or not axis.text.startswith("range(") or not all(map(_WHOLE.fullmatch, values)):
        return None
    numbers = sorted(int(value) for value in values)
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    return range(numbers[0], numbers[-1] + 1, step)


def is_numeric(part: Dimension) -> bool:
    """Whether its values have an order and a distance."""
    return not isinstance(distribution(part), CategoricalDistribution)


def parameters(space: Space, overrides: Mapping[str, str]) -> dict[str, Any]:
    """What Optuna calls the parameters of a trial with these overrides (key as typed -> value)."""
    found: dict[str, Any] = {}
    for part in space.dimensions:
        axis, law = part.axes[0], distribution(part)
        if axis.element not in overrides:
            continue
        text = overrides[axis.element]
        if isinstance(law, CategoricalDistribution):
            found[axis.key] = str((axis.values or ()).index(text)) if len(part.axes) > 1 else text
        else:
            found[axis.key] = int(text) if isinstance(law, IntDistribution) else float(text)
    return found


class Suggested(Mapping[str, str]):
    """The values of a trial by key. An axis is asked for when it is read, so one that does not exist never is."""

    def __init__(self, trial: Trial, space: Space) -> None:
        self._trial = trial
        self._parts = {axis.key: part for part in space.dimensions for axis in part.axes}

    def __getitem__(self, key: str) -> str:
        part = self._parts[key]
        axis, law = part.axes[0], distribution(part)
        match law:
            case CategoricalDistribution():
                word = self._trial.suggest_categorical(axis.key, law.choices)
                return part.point(int(str(word)))[key] if len(part.axes) > 1 else str(word)
            case IntDistribution():
                return str(self._trial.suggest_int(axis.key, law.low, law.high, step=law.step, log=law.log))
            case FloatDistribution():
                return axis.spelled(self._trial.suggest_float(axis.key, law.low, law.high, log=law.log))
        raise TypeError(law)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)
