"""The result of a sweep in Python: its table, its best run, and all trained states together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from framework.build.state import State
from framework.core.errors import Problem, RunError
from framework.core.words import listed
from framework.data.held import Held
from framework.library.experiments import Experiment, open_run
from framework.sweep.ensemble import Ensemble, Part
from framework.sweep.report.gathered import Gathered
from framework.sweep.report.means import settings_of
from framework.sweep.stacked import stacked_states
from framework.train import saved


class SweepResult:
    """What a sweep came to, read from its folder.

    Attributes:
      folder: of the sweep; each trial is a run directory in it.
    """

    def __init__(self, gathered: Gathered, trust: Sequence[str] = (), held: Held | None = None) -> None:
        self._gathered = gathered
        self._held = held  # arrays of the caller's are found for as long as somebody keeps them
        self._trust = tuple(trust)
        self.folder: Path = gathered.folder

    @property
    def table(self) -> list[dict[str, Any]]:
        """A row for each trial, the best first: `trial`, `status`, the swept keys, the metrics, `seconds`, `run`."""
        places = {row.number: index for index, row in enumerate(self._gathered.rows)}
        keys = [axis.key for axis in self._gathered.axes]
        found = []
        for row in self._gathered.ranked:
            index = places[row.number]
            told: dict[str, Any] = {"trial": row.number, "status": self._gathered.statuses[index]}
            told |= {key: row.parameters.get(key) for key in keys}
            told |= {name: row.metrics.get(name) for name in self._gathered.objectives} | row.metrics
            found.append(told | {"seconds": row.seconds, "run": self._gathered.paths[index], "error": row.error})
        return found

    def repeated(self) -> list[dict[str, Any]]:
        """A row for each setting, trials that differ in seeds alone taken together, the best mean first.

        Each holds the swept keys but seeds, `trials` (how many are done), and of each metric the mean under its name
        and the sample standard deviation under `<name>.deviation`, NaN of a single trial.
        """
        found = []
        for setting in settings_of(self._gathered):
            told: dict[str, Any] = {**setting.parameters, "trials": setting.done}
            for name, values in setting.spreads.items():
                told |= {name: values.mean, f"{name}.deviation": values.deviation}
            found.append(told)
        return found

    @property
    def best_trial(self) -> dict[str, Any]:
        """The row of the best trial.

        Raises:
          RunError: no trial is done.
        """
        self._best()
        return self.table[0]

    @cached_property
    def best(self) -> Experiment:
        """The best trial, with what it trained.

        Raises:
          RunError: no trial is done.
        """
        return open_run(self._path(self._best()), trust=self._trust)

    @property
    def command(self) -> str:
        """What one types to run the best trial alone."""
        return self._gathered.command(self._gathered.rows[self._best()])

    def to_pandas(self) -> Any:
        """The table as a data frame.

        Raises:
          RunError: pandas is not installed.
        """
        try:
            import pandas  # pyright: ignore[reportMissingImports] - an extra that is not installed for the tests
        except ModuleNotFoundError:
            fix = "pip install 'framework[pandas]'"
            raise RunError(Problem("to_pandas", "needs pandas, which is not installed", fix=fix)) from None
        return pandas.DataFrame(self.table)

    def report(self, file: str | Path | None = None) -> Path:
        """Write the report, as `fw sweep report` does, and give the page."""
        from framework.sweep.report.writing import write_report

        return write_report(self.folder, Path(file) if file is not None else None).page

    def states(self, trials: Sequence[int] | None = None, checkpoint: str = "best") -> State:
        """The states of trials as one pytree, with trials on the first axis, in the order of `trials`.

        Args:
          trials: their numbers; by default all that are done, by number.
          checkpoint: `best` or `last`.

        Raises:
          RunError: their networks differ, one has no checkpoint, or none is done.
        """
        groups = self._alike(self._places(trials))
        if len(groups) > 1:
            each = [f"trials={[self._gathered.rows[index].number for index in group]}" for group in groups]
            raise RunError(
                Problem("states", f"the trials have {len(groups)} different networks", "one of " + "; ".join(each))
            )
        runs = [self._path(index) for index in groups[0]]
        return stacked_states(saved.setup_of(runs[0], trust=self._trust), runs, checkpoint)

    def ensemble(self, trials: Sequence[int] | int | None = None) -> Ensemble:
        """Trials as one predictor, the mean of them.

        Args:
          trials: their numbers, or how many of the best; by default all that are done.

        Raises:
          RunError: one has no checkpoint, or none is done.
        """
        if isinstance(trials, int):
            trials = [row["trial"] for row in self.table if row["status"] == "done"][:trials]
        places = self._places(trials)
        parts = []
        for group in self._alike(places):
            runs = [self._path(index) for index in group]
            setup = saved.setup_of(runs[0], trust=self._trust)
            parameters = [self._gathered.rows[index].parameters for index in group]
            keys = [key for key in setup.experiment.hyper if all(key in each for each in parameters)]
            hyper = {
                key: np.asarray([each[key] for each in parameters], setup.experiment.hyper[key].dtype) for key in keys
            }
            parts.append(Part(setup, stacked_states(setup, runs), hyper))
        return Ensemble(parts, tuple(self._gathered.rows[index].number for index in places))

    def _best(self) -> int:
        best = self._gathered.best
        if best is None:
            raise RunError(Problem(str(self.folder), "no trial is done", "a trial with an objective"))
        return next(index for index, row in enumerate(self._gathered.rows) if row.number == best.number)

    def _path(self, index: int) -> Path:
        path = self._gathered.paths[index]
        if path is None:
            row = self._gathered.rows[index]
            raise RunError(Problem(f"trial {row.number}", f"its run directory {row.path} is gone", "the run"))
        return path

    def _places(self, trials: Sequence[int] | None) -> list[int]:
        rows = self._gathered.rows
        done = {row.number: index for index, row in enumerate(rows) if row.status == "done"}
        wanted = list(done) if trials is None else list(trials)
        missing = [number for number in wanted if number not in done]
        if missing or not wanted:
            found = f"trial {missing[0]} is not done" if missing else "no trial is done"
            raise RunError(Problem("trials", found, listed(done) if done else "a trial that is done"))
        return [done[number] for number in wanted]

    def _alike(self, places: Sequence[int]) -> list[list[int]]:
        """The trials whose structural values agree, so that their states have the same arrays."""
        groups: dict[str, list[int]] = {}
        for index in places:
            row = self._gathered.rows[index]
            structure = {key: value for key, value in row.parameters.items() if not row.traced.get(key)}
            groups.setdefault(repr(sorted(structure.items())), []).append(index)
        return list(groups.values())

    def __len__(self) -> int:
        return len(self._gathered.rows)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {status}" for status, count in self._gathered.counts.items())
        return f"<Sweep of {self._gathered.recipe}: {counts or 'no trials'}, {self.folder}>"

    def _repr_html_(self) -> str:
        from framework.sweep.report.notebook import sweep_html

        return sweep_html(self._gathered)
