"""When a trial goes no further: rules over the validations of all trials of a sweep.

All count validations, not steps, so that trials with other batch sizes compare; and all look at the best value yet, as
a run stands for its best validation.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from framework.config.schema.sweep import Halving, Hyperband, Median, NoPruner, Sweep
from framework.sweep.search.curves import Curves

Rule = Callable[[int, int, Curves], str | None]
"""(trial, how many validations it had, all curves) -> why it ends, or None. Values are better where smaller."""


def rule_of(section: Sweep) -> Rule | None:
    """The rule that a sweep names; None where every trial goes on."""
    pruner = section.pruner
    match pruner:
        case NoPruner():
            return None
        case Median():
            return lambda number, count, curves: median(number, count, curves, pruner)
        case Halving():
            return lambda number, count, curves: halving(
                number, count, curves, curves.numbers(), pruner.first, pruner.factor
            )
        case Hyperband():
            return lambda number, count, curves: hyperband(number, count, curves, pruner)


def median(number: int, count: int, curves: Curves, settings: Median) -> str | None:
    """Ends a trial whose best value is worse than the median of the others' at the same validation.

    A trial that was stopped stands there with the best that it had: so about half of all trials end early, not half at
    each validation.

    Source: Golovin et al., Google Vizier, KDD 2017, section 3.2.1.
    """
    others = [best for other in curves.numbers() if other != number and (best := curves.best(other, count)) is not None]
    mine = curves.reached(number, count)
    if mine is None or count <= settings.after or len(others) < settings.trials:
        return None
    middle = statistics.median(others)
    return f"behind the median of {len(others)} trials after {_validations(count)}" if mine > middle else None


def halving(number: int, count: int, curves: Curves, rivals: Sequence[int], first: int, factor: int) -> str | None:
    """Ends a trial that is not among the best 1/factor of those that came so far; looked at `first` x factor^k.

    Source: Li et al., arXiv:1810.05934, in the form that stops trials instead of pausing them.
    """
    if count not in _rungs(first, factor, count):
        return None
    mine = curves.reached(number, count)
    there = [best for rival in rivals if (best := curves.reached(rival, count)) is not None]
    go_on = max(1, len(there) // factor)
    better = sum(best < mine for best in there) if mine is not None else 0
    return f"not among the best {go_on} of {len(there)} after {_validations(count)}" if better >= go_on else None


def hyperband(number: int, count: int, curves: Curves, settings: Hyperband) -> str | None:
    """Successive halving within the trial's bracket.

    Source: Li et al., arXiv:1603.06560.
    """
    mine = bracket(number, settings.factor, settings.brackets)
    rivals = [other for other in curves.numbers() if bracket(other, settings.factor, settings.brackets) == mine]
    return halving(number, count, curves, rivals, settings.first * settings.factor**mine, settings.factor)


def bracket(number: int, factor: int, brackets: int) -> int:
    """The bracket of a trial, 0 for the one that compares first.

    Bracket b of s has a share of trials proportional to factor^(s-1-b) / (s-b) (arXiv:1603.06560, algorithm 1): so each
    costs about as many steps. Multiples of the golden ratio fill the shares evenly from the first trials on.
    """
    shares = [factor ** (brackets - 1 - index) / (brackets - index) for index in range(brackets)]
    place = (number * 0.6180339887498949) % 1.0 * sum(shares)
    for index, share in enumerate(shares):
        if place < share:
            return index
        place -= share
    return brackets - 1


def _validations(count: int) -> str:
    return f"{count} validation{'' if count == 1 else 's'}"


def _rungs(first: int, factor: int, most: int) -> list[int]:
    rungs = [first]
    while rungs[-1] < most:
        rungs.append(rungs[-1] * factor)
    return rungs
