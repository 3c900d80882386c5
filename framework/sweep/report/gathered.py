"""Everything that a report tells, read from the folder of a sweep: also of one that runs, or was killed."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from framework.config.schema.sweep import Sweep
from framework.core.errors import Problem, RunError
from framework.sweep.ledger import FILE, Ledger, Row
from framework.sweep.objective import best, ranked
from framework.sweep.report.axes import Axis, axes_of

STATUSES = ("done", "pruned", "non_finite", "failed", "out_of_memory", "running", "interrupted", "queued")
"""What a trial can be in, in the order in which a report counts them; `interrupted` is one whose process is gone."""


@dataclass(frozen=True, eq=False)
class Gathered:
    """A sweep as it stands.

    Attributes:
      folder: of the sweep.
      meta: what the ledger says that it is of.
      rows: its trials, by number.
      statuses: of each trial, one of `STATUSES`.
      paths: of each trial, where its run directory is now; None where there is none.
      axes: the swept keys.
    """

    folder: Path
    meta: Mapping[str, Any]
    rows: tuple[Row, ...]
    statuses: tuple[str, ...]
    paths: tuple[Path | None, ...]
    axes: tuple[Axis, ...]

    @cached_property
    def section(self) -> Sweep:
        """The objectives and their directions."""
        given = {name: tuple(self.meta[name]) for name in ("objective", "direction")}
        return Sweep.model_validate(given)

    @property
    def objectives(self) -> tuple[str, ...]:
        """What trials are judged by."""
        return self.section.objectives

    @property
    def recipe(self) -> str:
        """The recipe's name."""
        return str(self.meta["recipe"])

    @cached_property
    def best(self) -> Row | None:
        """The best trial; None where none is done."""
        return best(self.rows, self.section)

    @cached_property
    def ranked(self) -> list[Row]:
        """Every trial, the best first."""
        return ranked(self.rows, self.section)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials each status has, those with none left out."""
        found = Counter(self.statuses)
        return {status: found[status] for status in STATUSES if found[status]}

    def command(self, row: Row) -> str:
        """What one types to run a trial alone."""
        words = self.meta.get("command") or ["fw", "run", self.recipe]
        return " ".join(shlex.quote(word) for word in (*words, *row.overrides))

    def repeats(self) -> list[list[int]]:
        """The trials, by their place in `rows`, that differ in seeds alone, each group by number."""
        keys = [axis.key for axis in self.axes if not axis.seed]
        found: dict[tuple[str, ...], list[int]] = {}
        for index, row in enumerate(self.rows):
            found.setdefault(tuple(repr(row.parameters.get(key)) for key in keys), []).append(index)
        return list(found.values())


def gather(folder: Path) -> Gathered:
    """Read a sweep.

    Raises:
      RunError: the folder holds none.
    """
    if not (folder / FILE).is_file():
        found = "holds no sweep" if folder.is_dir() else "is no folder"
        near = sorted(path.parent for path in folder.glob(f"*/{FILE}")) if folder.is_dir() else []
        fix = f"fw sweep report {shlex.quote(str(near[-1]))}" if near else "the folder that `fw sweep` named at its end"
        raise RunError(Problem(str(folder), found, f"the folder of a sweep, with {FILE}", fix=fix))
    ledger = Ledger(folder / FILE)
    meta = ledger.meta()
    if "objective" not in meta:
        found, expected = "holds a ledger that no sweep has described yet", "a sweep that has begun"
        raise RunError(Problem(str(folder), found, expected, fix="try again once its first trials run"))
    rows = tuple(ledger.trials())
    axes = axes_of([row.parameters for row in rows], meta["space"]["axes"])
    statuses = tuple("interrupted" if row.status == "running" and row.open else row.status for row in rows)
    return Gathered(folder, meta, rows, statuses, _paths(folder, rows), axes)


def _paths(folder: Path, rows: Sequence[Row]) -> tuple[Path | None, ...]:
    return tuple(_path(folder, Path(row.path)) if row.path else None for row in rows)


def _path(folder: Path, told: Path) -> Path | None:
    """Where a run directory is: below the folder, which may have been moved or copied, or where the ledger says."""
    inside = [folder.joinpath(*told.parts[-count:]) for count in range(min(4, len(told.parts)), 0, -1)]
    return next((path for path in (*inside, told) if path.is_dir()), None)
