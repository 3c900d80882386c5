"""The director that ends trials early."""

from __future__ import annotations

from collections.abc import Mapping

from framework.sweep.directors import Watcher
from framework.sweep.members import Stop, Verdict
from framework.sweep.search.curves import Curves
from framework.sweep.search.rules import Rule


class Pruning(Watcher):
    """Compares the trials of a group with each other, with those of earlier groups and those of other processes.

    Args:
      rule: decides; None: nobody is stopped, and values are kept alone.
      objective: the metric that trials are compared by.
    """

    def __init__(self, curves: Curves, rule: Rule | None, objective: str) -> None:
        self._curves = curves
        self._rule = rule
        self._objective = objective

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """Who goes no further after this validation."""
        curves = self._curves
        curves.add(step, {number: found[self._objective] for number, found in values.items()})
        reasons: dict[int, str] = {}
        for number in values:
            # One that was stopped before its process died is stopped again.
            reason = curves.stopped.get(number)
            if reason is None and self._rule is not None:
                reason = self._rule(number, curves.count(number, step), curves)
            if reason is not None:
                reasons[number] = reason
        curves.stop({number: reason for number, reason in reasons.items() if number not in curves.stopped})
        return {number: Stop(reason) for number, reason in reasons.items()}
