"""The space of a sweep: its axes, which of them go together, and the overrides that a choice of values comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from framework.config.compose.axes import Axis

Seen = Callable[[str], Any]
"""Key -> its value in a composed recipe; of a config group also the option chosen. Raises KeyError."""

Look = Callable[[Sequence[str]], Seen]
"""Overrides of the axes -> what the recipe holds with them."""


@dataclass(frozen=True)
class Dimension:
    """Axes that go together: one axis, or those that are zipped.

    Attributes:
      axes: in order; of several, all have the same number of values.
    """

    axes: tuple[Axis, ...]

    @property
    def size(self) -> int | None:
        """How many points it has; None for an interval."""
        values = self.axes[0].values
        return None if values is None else len(values)

    def point(self, index: int) -> dict[str, str]:
        """Key -> value of each axis at a point."""
        return {axis.key: (axis.values or ())[index] for axis in self.axes}


@dataclass(frozen=True, eq=False)
class Space:
    """All that a sweep may try.

    Attributes:
      axes: in the order in which a grid varies them, the last one fastest.
      dimensions: the same axes, zipped ones as one.
      look: what the recipe holds with some axes chosen; conditions ask for it.
    """

    axes: tuple[Axis, ...]
    dimensions: tuple[Dimension, ...]
    look: Look

    @property
    def size(self) -> int | None:
        """How many combinations there are, those that conditions make equal counted apart; None if endless."""
        sizes = [dimension.size for dimension in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    @property
    def conditional(self) -> bool:
        """Whether an axis exists only where others have certain values."""
        return any(axis.when for axis in self.axes)

    def overrides(self, values: Mapping[str, str]) -> list[str]:
        """The overrides of a choice, without the axes whose conditions do not hold.

        Args:
          values: key -> value of every axis, as an override spells it; `Axis.spelled` spells numbers.
        """
        active = {axis.key: axis.override(values[axis.key]) for axis in self.axes if not axis.when}
        for axis in in_order(self.axes):
            if self._holds(axis, list(active.values())):
                active[axis.key] = axis.override(values[axis.key])
        return [active[axis.key] for axis in self.axes if axis.key in active]

    def _holds(self, axis: Axis, overrides: Sequence[str]) -> bool:
        seen = self.look(overrides)
        for key, admitted in axis.when:
            try:
                found = seen(key)
            except KeyError:
                return False
            if not any(found == value and isinstance(found, bool) == isinstance(value, bool) for value in admitted):
                return False
        return True

    def declaration(self) -> dict[str, Any]:
        """The space as plain data, to be kept and compared."""
        zipped = [[axis.key for axis in part.axes] for part in self.dimensions if len(part.axes) > 1]
        return {"axes": {axis.element: axis.declaration() for axis in self.axes}, "zip": zipped}


def in_order(axes: Sequence[Axis]) -> list[Axis]:
    """The conditional axes, each after those that its conditions read.

    Raises:
      ValueError: conditions read one another in a circle; the message names the axes.
    """
    waiting = [axis for axis in axes if axis.when]
    ordered: list[Axis] = []
    while waiting:
        names = [axis.key for axis in waiting]
        ready = [axis for axis in waiting if not any(key in names for key, _ in axis.when)]
        if not ready:
            raise ValueError(" -> ".join([*names, names[0]]))
        ordered += ready
        waiting = [axis for axis in waiting if axis not in ready]
    return ordered


@dataclass(frozen=True)
class Trial:
    """A trial as a sampler is told of it.

    Attributes:
      number: from 0, in the order in which trials were proposed.
      overrides: what it was proposed with.
      status: `queued`, `running`, or how it ended (see `members.EndStatus`).
      values: of each objective; None where it has none (yet).
    """

    number: int
    overrides: tuple[str, ...]
    status: str
    values: tuple[float, ...] | None = None


class Sampler(Protocol):
    """Proposes trials."""

    at_once: int | None
    """How many to ask for before the results of the earlier ones are told; None: as many as there will be."""

    def open(self, folder: Path) -> None:
        """Begin in earnest, in the folder of the sweep. What was asked before was a preview, and is asked again."""

    def begin(self, past: Sequence[Trial]) -> None:
        """What was proposed before, in an earlier process or by another one; told before the next `ask`."""

    def ask(self, numbers: Sequence[int]) -> list[list[str]]:
        """The overrides of the trials with these numbers; fewer, or none, where nothing is left to try."""
        ...

    def tell(self, results: Sequence[Trial]) -> None:
        """What became of trials; may be told again."""

    def close(self) -> None:
        """Let go of what `open` took."""
