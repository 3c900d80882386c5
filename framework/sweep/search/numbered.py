"""Optuna's samplers, drawing what follows from the sweep's seed and the trial's number alone.

Then a sweep that was interrupted proposes what it would have proposed, and processes that share a study draw apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from framework.sweep.search.study import quiet

POPULATION = 32
"""Trials in a generation of NSGA-II, which are proposed together."""

STARTUP = 10
"""Trials that TPE and GP draw at random before they learn."""

Make = Callable[[int], BaseSampler]


def maker(name: str, *, conditional: bool, several: bool) -> Make:
    """Makes Optuna's sampler of a name, for a seed.

    Args:
      conditional: axes depend on others.
      several: there are several objectives.
    """

    def make(seed: int) -> BaseSampler:
        with quiet():
            match name:
                case "tpe":
                    # Trials that run count as bad ones, so that those asked for together lie apart.
                    together = not several
                    return TPESampler(
                        n_startup_trials=STARTUP,
                        multivariate=together,
                        group=conditional and together,
                        constant_liar=True,
                        seed=seed,
                    )
                case "cmaes":
                    return CmaEsSampler(warn_independent_sampling=False, seed=seed)
                case "gp":
                    return GPSampler(n_startup_trials=STARTUP, warn_independent_sampling=False, seed=seed)
                case _:
                    return NSGAIISampler(population_size=POPULATION, seed=seed)

    return make


class Numbered(BaseSampler):
    """Another sampler, made anew for each trial: what these learn lies in the study, not in the object."""

    def __init__(self, make: Make, seed: int) -> None:
        self._make = make
        self._seed = seed
        self._inner = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed by the trial's number, which is no other process's."""
        text = f"{self._seed} {trial.number}".encode()
        self._inner = self._make(int.from_bytes(hashlib.sha256(text).digest()[:4]))
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As the other."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the other."""
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """As the other."""
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """As the other."""
        self._inner.after_trial(study, trial, state, values)
