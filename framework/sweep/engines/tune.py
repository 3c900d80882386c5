"""Schedulers of Ray Tune as directors: told of each validation, they say who goes no further.

Only those that decide by the results alone: schedulers that pause trials or let them copy each other move Ray's own
trials, which there are none of here; for a population there is `sweep.sampler=pbt`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.sweep.directors import Watcher
from framework.sweep.engines.settings import PREFIX, require
from framework.sweep.members import Ending, Stop, Verdict

_NAMES = {"asha": "AsyncHyperBandScheduler", "median_stopping": "MedianStoppingRule"}
# Trials have an end of their own; Tune's would stop them all after 100 validations.
_OWN = {"asha": {"stop_last_trials": False}, "median_stopping": {"hard_stop": True}}
TIME = "training_iteration"


@dataclass(frozen=True)
class _Trial:
    trial_id: str


class _NoController:
    def get_live_trials(self) -> list[_Trial]:
        """No trial could run in the place of another."""
        return []


class TuneScheduler(Watcher):
    """Asks a scheduler of Ray Tune, whose time is the number of validations that a trial had.

    What it knows is lost with the driver: a sweep that is taken up again begins with a new one.
    """

    def __init__(self, given: str | Mapping[str, Any], section: Sweep) -> None:
        self._name, _ = _split(given)
        self._metric = section.objectives[0]
        self._scheduler = made(given, self._metric, "min" if section.directions[0] == "minimize" else "max")
        self._controller: Any = _NoController()
        self._trials: dict[int, Any] = {}
        self._counts: Counter[int] = Counter()

    def started(self, numbers: Sequence[int]) -> None:
        """Tell the scheduler of new trials."""
        for number in numbers:
            if number not in self._trials:
                self._trials[number] = _Trial(str(number))
                self._scheduler.on_trial_add(self._controller, self._trials[number])

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """Stop those that the scheduler stops."""
        verdicts: dict[int, Verdict] = {}
        for number, found in values.items():
            self._counts[number] += 1
            result = {TIME: self._counts[number], self._metric: found[self._metric]}
            said = self._scheduler.on_trial_result(self._controller, self._trials[number], result)
            if said == self._scheduler.STOP:
                verdicts[number] = Stop(f"Ray Tune's {self._name} ended it after {result[TIME]} validations")
        return verdicts

    def ended(self, number: int, ending: Ending) -> None:
        """Tell the scheduler of a trial that is done."""
        if number in self._trials and ending.status == "done":
            result = {TIME: self._counts[number], self._metric: ending.metrics.get(self._metric)}
            self._scheduler.on_trial_complete(self._controller, self._trials.pop(number), result)


def check_scheduler(given: str | Mapping[str, Any]) -> None:
    """See that a scheduler is one of ours and takes its arguments.

    Raises:
      ConfigError: it is unknown, its arguments are wrong, or Ray Tune is not installed.
    """
    name, arguments = _split(given)
    if name not in _NAMES:
        near = closest(name, _NAMES) or "asha"
        found = f"there is no scheduler '{name}' that decides by results alone"
        fix = f"{PREFIX}.scheduler={near}, or sweep.pruner={'asha' if near == 'asha' else 'median'}"
        raise ConfigError(Problem(f"{PREFIX}.scheduler", found, listed(_NAMES), fix=fix))
    for package in ("pandas", "pyarrow"):
        require(package, "ray", "Ray Tune")
    try:
        made(given, "valid.loss", "min")
    except (TypeError, ValueError, AssertionError) as error:
        found = f"Ray Tune refuses {arguments}: {str(error).splitlines()[0] if str(error) else name}"
        expected = f"arguments of ray.tune.schedulers.{_NAMES[name]}"
        raise ConfigError(Problem(f"{PREFIX}.scheduler", found, expected, fix=f"{PREFIX}.scheduler={name}")) from None


def made(given: str | Mapping[str, Any], metric: str, mode: str) -> Any:
    """The scheduler of Ray Tune."""
    name, arguments = _split(given)
    kind = getattr(import_module("ray.tune.schedulers"), _NAMES[name])
    return kind(**{"metric": metric, "mode": mode, "time_attr": TIME, **_OWN[name], **arguments})


def _split(given: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if isinstance(given, str):
        return given, {}
    return str(given.get("type")), {name: value for name, value in given.items() if name != "type"}
