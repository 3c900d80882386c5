"""The sampler that asks an Optuna study and tells it what became of its trials."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from framework.config.schema.sweep import Sweep
from framework.sweep.search import study as studies
from framework.sweep.search.curves import Curves
from framework.sweep.search.distributions import Suggested, distribution, parameters
from framework.sweep.search.numbered import POPULATION, Numbered, maker
from framework.sweep.space import Space, Trial

_NUMBER, _MARK = "trial", "sweep"
_TOGETHER = {"tpe": 16, "gp": 8, "nsga2": POPULATION}
"""How many trials are proposed at once where nobody says."""

Study = Any  # Optuna's own is generic over nothing, and its storages are private


class Asking:
    """Proposes what an Optuna sampler suggests.

    Until `open` the study lies in memory, and what it proposes is a preview. The ledger stays the record of the sweep:
    trials of the study that the ledger knows nothing of are failed, and those that the study lacks are added to it.
    """

    def __init__(self, space: Space, section: Sweep) -> None:
        self._space = space
        self._section = section
        make = maker(section.sampler, conditional=space.conditional, several=len(section.objectives) > 1)
        self._sampler = Numbered(make, section.seed)
        # CMA-ES learns from whole generations, of which this is the size (Hansen, arXiv:1604.00772, table 1).
        generation = 4 + int(3 * math.log(len(space.dimensions)))
        self.at_once: int | None = _TOGETHER.get(section.sampler, generation)
        self._study: Study = None
        self._storage: Any = None
        self._mark = ""
        self._curves: Curves | None = None
        self._known: set[int] = set()
        self._running: set[int] = set()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self, folder: Path) -> None:
        """Begin in earnest: the study in its storage, by its name."""
        self._storage = studies.open_storage(self._section, folder)
        self._mark = studies.mark_of(folder)
        self._curves = Curves(folder, 1.0)
        self._study = self._made(self._storage, self._section.study or str(folder))
        self._known = set()
        if self._section.storage is not None:
            self._thread = threading.Thread(target=self._beat, name="study-heartbeat", daemon=True)
            self._thread.start()

    def begin(self, past: Sequence[Trial]) -> None:
        """Trials of the ledger that are there already; those that are over are told to the study."""
        self._known |= {trial.number for trial in past}
        self.tell(past)

    def ask(self, numbers: Sequence[int]) -> list[list[str]]:
        """What the sampler suggests for trials of these numbers; fewer where other folders share the study."""
        if self._study is None:
            self._study = self._made(None, "preview")
        with studies.quiet():
            self._tidy()
            found = [self._suggest(number) for number in numbers[: self._left(len(self._known))]]
        self._known |= set(numbers[: len(found)])
        return found

    def tell(self, results: Sequence[Trial]) -> None:
        """What became of trials; what the study knows already is left as it is."""
        over = [trial for trial in results if trial.status not in ("queued", "running")]
        if self._study is None or not over:
            return
        with studies.quiet():
            mine = self._mine()
            if self._curves is not None:
                self._curves.refresh()
            for trial in over:
                self._tell(trial, mine.get(trial.number))

    def close(self) -> None:
        """Let go of the storage."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _made(self, storage: Any, name: str) -> Study:
        with studies.quiet():
            return optuna.create_study(
                storage=storage,
                study_name=name,
                sampler=self._sampler,
                pruner=optuna.pruners.NopPruner(),
                directions=list(self._section.directions),
                load_if_exists=True,
            )

    def _mine(self) -> dict[int, FrozenTrial]:
        """The study's trials of this folder by number; of two with one number, the one that knows more."""
        found: dict[int, FrozenTrial] = {}
        for trial in self._study.get_trials(deepcopy=False):
            if trial.user_attrs.get(_MARK) == self._mark and trial.state != TrialState.FAIL:
                found[trial.user_attrs[_NUMBER]] = trial
        return found

    def _left(self, there: int) -> int:
        """How many trials may still be proposed, those of other folders in the study counted."""
        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        others = [
            trial
            for trial in self._study.get_trials(deepcopy=False, states=states)
            if trial.user_attrs.get(_MARK) != self._mark
        ]
        assert self._section.trials is not None
        return max(0, self._section.trials - there - len(others))

    def _tidy(self) -> None:
        """Fail what no process works on: asked for and never queued, or of a machine that is gone.

        Nobody else is asking for this folder: the ledger is locked meanwhile.
        """
        for number, trial in self._mine().items():
            if trial.state == TrialState.RUNNING and number not in self._known:
                self._study.tell(trial.number, state=TrialState.FAIL)
        if self._section.storage is not None and self._storage is not None:
            optuna.storages.fail_stale_trials(self._study)
        elif self._storage is not None:
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if _MARK not in trial.user_attrs:
                    self._study.tell(trial.number, state=TrialState.FAIL)

    def _suggest(self, number: int) -> list[str]:
        trial = self._study.ask()
        if self._thread is not None:
            self._storage.record_heartbeat(self._id(trial.number))
            self._running.add(trial.number)
        found = self._space.overrides(Suggested(trial, self._space))
        trial.set_user_attr(_NUMBER, number)
        trial.set_user_attr(_MARK, self._mark)
        return found

    def _tell(self, trial: Trial, found: FrozenTrial | None) -> None:
        if found is not None and found.state.is_finished():
            return
        state, values = self._result(trial)
        curve = {} if self._curves is None else self._curves.values(trial.number)
        if found is None:
            self._add(trial, state, values, curve)
            return
        self._running.discard(found.number)
        for step, value in curve.items():
            self._storage.set_trial_intermediate_value(self._id(found.number), step, value)
        try:
            self._study.tell(found.number, values, state)
        except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
            # Another process told it a moment ago, or failed it as its heartbeat had stopped.
            if not self._study.trials[found.number].state.is_finished():
                raise

    def _add(self, trial: Trial, state: TrialState, values: list[float] | None, curve: dict[int, float]) -> None:
        """Add a trial that the study lacks: its storage is a new one, or the trial had failed and was tried again."""
        if state == TrialState.FAIL:
            return
        words = dict(text.split("=", 1) for text in trial.overrides)
        found = parameters(self._space, words)
        laws = {part.axes[0].key: distribution(part) for part in self._space.dimensions}
        self._study.add_trial(
            optuna.create_trial(
                state=state,
                values=values if state == TrialState.COMPLETE else list(curve.values())[-1:] or None,
                params=found,
                distributions={key: laws[key] for key in found},
                user_attrs={_NUMBER: trial.number, _MARK: self._mark},
                intermediate_values=curve,
            )
        )

    def _result(self, trial: Trial) -> tuple[TrialState, list[float] | None]:
        if trial.status == "done" and trial.values is not None:
            return TrialState.COMPLETE, list(trial.values)
        if trial.status == "pruned":
            return TrialState.PRUNED, None
        if trial.status == "non_finite":  # as bad as can be, which is worth knowing
            worst = [math.inf if direction == "minimize" else -math.inf for direction in self._section.directions]
            return TrialState.COMPLETE, worst
        return TrialState.FAIL, None

    def _id(self, number: int) -> int:
        study = self._storage.get_study_id_from_name(self._study.study_name)
        return self._storage.get_trial_id_from_study_id_trial_number(study, number)

    def _beat(self) -> None:
        while not self._over.wait(studies.HEARTBEAT_S):
            for number in list(self._running):
                self._storage.record_heartbeat(self._id(number))
