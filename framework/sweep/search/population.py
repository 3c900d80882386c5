"""Population-based training: the worst members of a group go on from the best ones, with values that were varied.

Source: Jaderberg et al., arXiv:1711.09846.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from framework.config.schema.sweep import Sweep
from framework.sweep.directors import Watcher
from framework.sweep.ledger import Row
from framework.sweep.members import Copy, Verdict
from framework.sweep.search.curves import Curves
from framework.sweep.search.explore import explored
from framework.sweep.search.schedule import change, taken_over
from framework.sweep.space import Space


class Exchange(Watcher):
    """Copies and varies after every `sweep.pbt.every` validations.

    Args:
      rows: gives the trials of the sweep.
    """

    def __init__(self, space: Space, section: Sweep, curves: Curves, rows: Callable[[], Sequence[Row]]) -> None:
        self._space = space
        self._section = section
        self._curves = curves
        self._rows = rows

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """Who copies whom after this validation."""
        settings, curves = self._section.pbt, self._curves
        found = {number: metrics[self._section.objectives[0]] for number, metrics in values.items()}
        curves.add(step, found)
        if len(found) < 2 or curves.count(min(found), step) % settings.every:
            return {}
        ranked = sorted(found, key=lambda number: (curves.values(number)[step], number))
        share = max(1, int(len(ranked) * settings.fraction))
        rows = {row.number: row for row in self._rows()}
        verdicts: dict[int, Verdict] = {}
        for number in ranked[-share:]:
            # What is drawn follows from the sweep's seed, the step and the member: a rerun draws the same.
            random = Random(f"{self._section.seed} {step} {number}")
            source = random.choice(ranked[:share])
            if curves.values(source)[step] < curves.values(number)[step]:
                hyper = explored(self._space, self._section.pbt, _present(rows[source], step), random)
                change(Path(rows[number].path), step, source, hyper)
                verdicts[number] = Copy(source, hyper)
        return verdicts


def _present(row: Row, step: int) -> dict[str, float]:
    """The values of a member before this step's exchange."""
    return {**row.parameters, **taken_over(Path(row.path), step - 1)}
