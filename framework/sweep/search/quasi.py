"""Points that fill a space more evenly than chance does."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from random import Random

from framework.sweep.samplers import placed
from framework.sweep.space import Space, Trial


class Quasi:
    """A Sobol sequence, one dimension for each axis, moved by an amount that follows from the seed and the axis.

    A trial's values follow from the seed, its number and the axes before: so a sweep can be prolonged, and several
    processes may draw from it.

    Source: Sobol, USSR Comput. Math. Math. Phys. 7 (1967); the shift: Cranley and Patterson, SIAM J. Numer. Anal. 13
    (1976).
    """

    at_once: int | None = None

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._shifts = [Random(f"{seed} {part.axes[0].key}").random() for part in space.dimensions]

    def open(self, folder: object) -> None:
        """Nothing: the numbers go on."""

    def begin(self, past: Sequence[Trial]) -> None:
        """Nothing: the numbers go on."""

    def ask(self, numbers: Sequence[int]) -> list[list[str]]:
        """The points of the sequence with these numbers."""
        if not numbers:
            return []
        from scipy.stats.qmc import Sobol

        first, last = min(numbers), max(numbers)
        sequence = Sobol(len(self._space.dimensions), scramble=False)
        if first:
            sequence.fast_forward(first)
        with warnings.catch_warnings():
            # A sweep may have any number of trials; each prefix of the sequence is even, powers of two the most.
            warnings.filterwarnings("ignore", message="The balance properties of Sobol")
            points = sequence.random(last - first + 1)
        return [self._at(points[number - first]) for number in numbers]

    def tell(self, results: Sequence[Trial]) -> None:
        """Nothing is learnt."""

    def close(self) -> None:
        """Nothing is held."""

    def _at(self, point: Sequence[float]) -> list[str]:
        values: dict[str, str] = {}
        for part, shift, place in zip(self._space.dimensions, self._shifts, point, strict=True):
            values |= placed(part, (float(place) + shift) % 1.0)
        return self._space.overrides(values)
