"""Samplers that need no further package: every combination, and values drawn at random."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random as Generator

from framework.config.compose.jobs import endless
from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, Problem
from framework.sweep.space import Dimension, Sampler, Space, Trial


class Grid:
    """Every combination once, the last axis varying fastest."""

    at_once: int | None = None

    def __init__(self, space: Space) -> None:
        self._space = space
        self._done: Counter[tuple[str, ...]] = Counter()
        self._left = self._combinations()

    def open(self, folder: Path) -> None:
        """From the first combination on."""
        self._done.clear()
        self._left = self._combinations()

    def begin(self, past: Sequence[Trial]) -> None:
        """Leave out what was proposed before."""
        self._done.update(trial.overrides for trial in past)

    def ask(self, numbers: Sequence[int]) -> list[list[str]]:
        """The next combinations."""
        return [list(found) for found in itertools.islice(self._left, len(numbers))]

    def tell(self, results: Sequence[Trial]) -> None:
        """Nothing is learnt."""

    def close(self) -> None:
        """Nothing is held."""

    def all(self) -> list[tuple[str, ...]]:
        """Every combination."""
        return list(self._every())

    def _every(self) -> Iterator[tuple[str, ...]]:
        seen: set[tuple[str, ...]] = set()
        for points in itertools.product(*(range(part.size or 0) for part in self._space.dimensions)):
            values: dict[str, str] = {}
            for part, index in zip(self._space.dimensions, points, strict=True):
                values |= part.point(index)
            found = tuple(self._space.overrides(values))
            # Without conditions a combination stands twice only where a value does, and then it is meant.
            if not self._space.conditional or found not in seen:
                seen.add(found)
                yield found

    def _combinations(self) -> Iterator[tuple[str, ...]]:
        for found in self._every():
            if self._done[found] > 0:
                self._done[found] -= 1
            else:
                yield found


class Random:
    """Values drawn independently: a trial's value of an axis follows from the sampler's seed, its number and the key.

    So a sweep goes on where it was left, and another axis changes no value of those that there were.
    """

    at_once: int | None = None

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed

    def open(self, folder: Path) -> None:
        """Nothing: the numbers go on."""

    def begin(self, past: Sequence[Trial]) -> None:
        """Nothing: the numbers go on."""

    def ask(self, numbers: Sequence[int]) -> list[list[str]]:
        """A draw for each number."""
        return [self._drawn(number) for number in numbers]

    def tell(self, results: Sequence[Trial]) -> None:
        """Nothing is learnt."""

    def close(self) -> None:
        """Nothing is held."""

    def _drawn(self, number: int) -> list[str]:
        values: dict[str, str] = {}
        for part in self._space.dimensions:
            values |= drawn(part, Generator(f"{self._seed} {number} {part.axes[0].key}"))
        return self._space.overrides(values)


def drawn(part: Dimension, generator: Generator) -> dict[str, str]:
    """Key -> value of a dimension, drawn at random."""
    return part.point(generator.randrange(part.size)) if part.size is not None else placed(part, generator.random())


def placed(part: Dimension, share: float) -> dict[str, str]:
    """Key -> value of a dimension below which the given share of its values lies, 0 <= share < 1."""
    if part.size is not None:
        return part.point(int(share * part.size))
    (axis,) = part.axes
    # A whole number stands for the half-open interval around it, so that the ends are as likely as the others.
    low, high = (axis.low - 0.5, axis.high + 0.5) if axis.integer else (axis.low, axis.high)
    if axis.log:
        low, high = math.log(low), math.log(high)
    number = low + (high - low) * share
    return {axis.key: axis.spelled(math.exp(number) if axis.log else number)}


Make = Callable[[Space, Sweep], Sampler]

BUILT_IN: dict[str, Make] = {
    "grid": lambda space, section: Grid(space),
    "random": lambda space, section: Random(space, section.seed),
    # The first members of a population are drawn; what becomes of them is decided between their validations.
    "pbt": lambda space, section: Random(space, section.seed),
}


def sampler(space: Space, section: Sweep, origins: dict[str, str]) -> Sampler:
    """The sampler that a recipe names.

    Raises:
      ConfigError: it is not installed, it is a grid over an interval, or nobody said how many trials to draw.
    """
    name = section.sampler
    origin = origins.get("sweep.sampler")
    if name == "grid":
        open_axes = [axis for axis in space.axes if axis.values is None]
        if open_axes:
            raise ConfigError([endless(axis.key, axis.origin) for axis in open_axes])
    elif section.trials is None:
        found = f"the sampler {name} goes on for ever"
        raise ConfigError(Problem("sweep.trials", found, "how many trials", origin, "sweep.trials=20"))
    if name in BUILT_IN:
        return BUILT_IN[name](space, section)
    from framework.sweep.search.learning import learning

    return learning(space, section, origins)
