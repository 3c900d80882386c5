"""How much of the objective's variance each swept key explains alone, by a random forest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from framework.sweep.report.axes import Axis
from framework.sweep.report.gathered import Gathered

FEWEST_TRIALS = 12
LOWEST_SCORE = 0.3
_TREES, _LEVELS, _BACKGROUND, _SEED = 200, 12, 96, 0

METHOD = (
    "A random forest of 200 trees learns the rank of the objective from the swept values (logarithms on log axes). The "
    "importance of a key is the variance of what the forest predicts for each of its values, averaged over the other "
    "keys' values as they were tried, as a share of the variance of its predictions: what the key explains alone, the "
    "main effect of a functional analysis of variance. Runs whose loss became NaN have the worst rank; pruned, failed "
    "and unfinished ones are left out. What is missing to 100 % are effects that keys have only together. It "
    "holds for the space that was searched, and not beyond it: a wider axis weighs more."
)


@dataclass(frozen=True)
class Importance:
    """What each key explains.

    Attributes:
      shares: swept key -> share of the variance, in [0, 1], greatest first; empty where `problem` says why.
      score: R² of the forest on trials that its trees were not grown on.
      trials: how many it learnt from.
      problem: why there is none, or why it is not to be trusted; else empty.
    """

    shares: dict[str, float]
    score: float
    trials: int
    problem: str = ""


def importance(sweep: Gathered, objective: int = 0) -> Importance:
    """The importance of the swept keys for one objective.

    Source: Hutter, Hoos, Leyton-Brown, An Efficient Approach for Assessing Hyperparameter Importance, ICML 2014.
    """
    used = [
        index
        for index, row in enumerate(sweep.rows)
        if row.status == "non_finite" or (row.status == "done" and row.objective is not None)
    ]
    axes = [
        axis for axis in sweep.axes if len({repr(sweep.rows[index].parameters.get(axis.key)) for index in used}) > 1
    ]
    needed = max(FEWEST_TRIALS, 4 * len(axes))
    if not axes or len(used) < needed:
        return Importance({}, 0.0, len(used), f"needs {needed} trials that are done; there are {len(used)}")
    values = np.array([_cost(sweep, index, objective) for index in used])
    if len(np.unique(values)) < 3:
        return Importance({}, 0.0, len(used), "the trials have too few different values of the objective")
    targets = _ranks(values)
    blocks = [
        _features([axis.number(sweep.rows[index].parameters.get(axis.key)) for index in used], axis) for axis in axes
    ]
    return _explained(axes, blocks, targets)


def _explained(axes: list[Axis], blocks: list[np.ndarray], targets: np.ndarray) -> Importance:
    from sklearn.ensemble import RandomForestRegressor

    features = np.concatenate(blocks, axis=1)
    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, oob_score=True, random_state=_SEED)
    with warnings.catch_warnings():
        # A trial that every tree was grown on has no score of its own; with 200 trees that is as good as impossible.
        warnings.simplefilter("ignore", UserWarning)
        forest.fit(features, targets)
    generator = np.random.default_rng(_SEED)
    rows = features[generator.permutation(len(features))[:_BACKGROUND]]
    total = float(forest.predict(features).var())
    shares = {}
    start = 0
    for axis, block in zip(axes, blocks, strict=True):
        end = start + block.shape[1]
        levels, weights = _levels(block)
        grid = np.repeat(rows[None], len(levels), axis=0)
        grid[:, :, start:end] = levels[:, None, :]
        means = forest.predict(grid.reshape(-1, features.shape[1])).reshape(len(levels), -1).mean(axis=1)
        mean = float(np.average(means, weights=weights))
        shares[axis.key] = min(1.0, float(np.average((means - mean) ** 2, weights=weights)) / total)
        start = end
    score = float(forest.oob_score_)
    ordered = dict(sorted(shares.items(), key=lambda item: -item[1]))
    problem = ""
    if score < LOWEST_SCORE:
        problem = f"the forest predicts trials that it has not seen poorly (R² {score:.2f}), so do not rely on this"
    return Importance(ordered, score, len(targets), problem)


def _cost(sweep: Gathered, index: int, objective: int) -> float:
    values = sweep.rows[index].objective
    sign = 1.0 if sweep.section.directions[objective] == "minimize" else -1.0
    return np.inf if values is None else sign * values[objective]


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks in [0, 1], equal values with the mean of theirs."""
    ordered = np.sort(values)
    low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return (low + high - 1) / 2 / max(1, len(values) - 1)


def _features(numbers: list[float], axis: Axis) -> np.ndarray:
    """A column of numbers, or one for each word; a column more tells where the key is unset."""
    column = np.array(numbers)
    unset = np.isnan(column)
    if axis.kind == "words" or axis.seed:
        block = (column[:, None] == np.unique(column[~unset])[None, :]).astype(float)
    else:
        block = np.where(unset, np.nanmedian(column), column)[:, None]
    return np.concatenate([block, unset[:, None].astype(float)], axis=1) if unset.any() else block


def _levels(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values that a key had, or quantiles of them where there are many, and how often each occurs."""
    levels, counts = np.unique(block, axis=0, return_counts=True)
    if len(levels) <= _LEVELS or block.shape[1] > 1:
        return levels, counts
    places = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return np.quantile(block, places, axis=0), np.ones(_LEVELS)
