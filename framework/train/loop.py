"""The training loop: dispatches steps, reads their logs one dispatch late, validates, keeps checkpoints, stops.

Records are made at fixed steps, whatever the dispatches were, and everything that the loop remembers travels with each
checkpoint. So a run that was killed and resumed writes the same records as one that was not.
"""

from __future__ import annotations

import signal as _signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from framework.build.experiment import PROBE, Experiment
from framework.build.state import State
from framework.checkpoint.arrays import import_meanwhile
from framework.core.errors import Interrupted, RunError
from framework.parallel.hosts.team import Alone, Company
from framework.runtime.garbage import collect_again
from framework.train.evaluation import Evaluator
from framework.train.progress import Progress, improves
from framework.train.runner import Logs, Runner

Record = dict[str, Any]


class Observer(Protocol):
    """Somebody who is told what happens; never changes anything."""

    def record(self, record: Record) -> None:
        """A training or validation record."""
        ...

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Steps were finished: the global step now, how many since last told, and the seconds they took."""
        ...

    def settle(self) -> None:
        """Make what was recorded durable: a checkpoint that relies on it is about to be written."""
        ...


class Keeper(Protocol):
    """Where checkpoints go (see `framework.checkpoint`)."""

    def save(self, step: int, state: Any, progress: dict[str, Any]) -> None:
        """Keep the state and the progress of a step."""
        ...

    def mark_best(self, step: int, value: float) -> bool:
        """Say that a kept step is the best so far."""
        ...


@dataclass
class Loop:
    """One training run in motion.

    Attributes:
      stop_requested: asked between dispatches; the name of a signal, or None to go on.
      company: the processes that run this loop, all of them alike; only the first has observers.
    """

    experiment: Experiment
    runner: Runner
    evaluator: Evaluator | None
    state: State
    progress: Progress
    observers: list[Observer]
    keeper: Keeper | None
    step: int
    stop_requested: Callable[[], str | None] = lambda: None
    company: Company = field(default_factory=Alone)
    _pending: deque[Logs] = field(default_factory=deque)
    _since: float = 0.0
    _saved_step: int = -1

    def run(self) -> State:
        """Train to the end, or to where early stopping ends it.

        Raises:
          RunError: the loss became NaN or infinite and `trainer.on_nonfinite` is `stop`.
          Interrupted: a signal asked to stop; the state was saved.
        """
        total = self.experiment.total_steps
        self._since = time.perf_counter()
        while self.step < total and not self.progress.finished:
            boundary = self._next_boundary(total)
            while self.step < boundary:
                self.state, logs = self.runner.run(self.state, self.step, boundary - self.step)
                self._while_it_runs()
                self.step += logs.count
                self._pending.append(logs)
                if len(self._pending) > 1:
                    self._take(self._pending.popleft())
                if self.step < boundary:  # a checkpoint of a boundary comes after its validation, never before
                    self._heed_signals()
            self._at_boundary(total)
            if not self.progress.finished:
                self._heed_signals()
        if not self.progress.finished:
            self._finish("all steps done")
        return self.state

    def _while_it_runs(self) -> None:
        """What a dispatch hides, since the devices have work: after the first one both are done."""
        collect_again()
        if self.keeper is not None:
            import_meanwhile()

    def _next_boundary(self, total: int) -> int:
        return min(
            total, *(self.step + every - self.step % every for every in (self._validate_every, self._save_every))
        )

    @property
    def _validate_every(self) -> int:
        return self.experiment.config.trainer.validate_every_steps or self.runner.schedule.steps_per_epoch

    @property
    def _save_every(self) -> int:
        return self.experiment.config.checkpoint.every_steps or self._validate_every

    def _at_boundary(self, total: int) -> None:
        """The order is fixed: train records, validation, policies, checkpoint; a checkpoint holds all before it."""
        self._drain()
        last = self.step >= total
        improved = False
        if self.evaluator is not None and (last or self.step % self._validate_every == 0):
            improved = self._validate()
            self._since = time.perf_counter()
        if last and not self.progress.finished:
            self.progress.finished, self.progress.reason = True, "all steps done"
        if last:
            self._record_window()
        if last or improved or self.progress.finished or self.step % self._save_every == 0:
            self._save(best=improved)

    def _finish(self, reason: str) -> None:
        self._drain()
        self.progress.finished, self.progress.reason = True, reason
        self._save(best=False)

    def _take(self, logs: Logs) -> None:
        values = logs.fetch()
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        self.runner.observe(logs.count, seconds)
        self._refuse_nonfinite(values, logs.start)
        every = self.experiment.config.trainer.log_every_steps
        done = 0
        while done < logs.count:
            step = logs.start + done
            taken = min(logs.count - done, every - step % every)
            self.progress.extend({name: column[done : done + taken] for name, column in values.items()})
            done += taken
            if (step + taken) % every == 0:
                self._emit(step + taken, "train", self.progress.flush())
        for observer in self.observers:
            observer.advance(logs.start + logs.count, logs.count, seconds)

    def _drain(self) -> None:
        while self._pending:
            self._take(self._pending.popleft())

    def _record_window(self) -> None:
        """The last, shorter window of a run."""
        if self.progress.window:
            self._emit(self.step, "train", self.progress.flush())

    def _refuse_nonfinite(self, values: dict[str, np.ndarray], start: int) -> None:
        # A probe may look at what is infinite by right, such as masked scores.
        bad = {
            name: column
            for name, column in values.items()
            if not name.startswith(PROBE) and not np.isfinite(column).all()
        }
        if not bad or self.experiment.config.trainer.on_nonfinite == "ignore":
            return
        name, column = next(iter(bad.items()))
        offset = int(np.argmin(np.isfinite(column)))
        kept = (
            f"the checkpoint of step {self._saved_step} is kept" if self._saved_step >= 0 else "no checkpoint was kept"
        )
        raise RunError(
            f"{name} became {column[offset]} at step {start + offset + 1}; {kept}\n"
            "  fix:       lower optimizer.learning_rate, set optimizer.clip_norm=1.0, or go on with "
            "trainer.on_nonfinite=ignore"
        )

    def _validate(self) -> bool:
        """Record a validation; True when the monitored value is the best so far."""
        assert self.evaluator is not None
        found = self.evaluator.evaluate(self.state, "valid")
        # Policies follow from it, and one process that stops where others go on would be waited for in vain.
        results = self.company.tell("a validation", lambda: found)
        scalars = {name: value for name, value in results.items() if not isinstance(value, list)}
        self._emit(self.step, "valid", scalars)
        return self._apply_policies({f"valid.{name}": value for name, value in scalars.items()})

    def _apply_policies(self, values: dict[str, float]) -> bool:
        config, progress = self.experiment.config, self.progress
        stop = config.trainer.early_stop
        if stop is not None:
            if improves(values[stop.monitor], progress.reference, stop.mode, stop.min_delta):
                progress.reference, progress.stale = values[stop.monitor], 0
            else:
                progress.stale += 1
            if progress.stale >= stop.patience:
                progress.finished = True
                progress.reason = f"{stop.monitor} did not improve in {stop.patience} validations"
        monitor = config.checkpoint.monitor
        if monitor is None or not improves(values[monitor], progress.best, config.checkpoint.mode):
            return False
        progress.best, progress.best_step = values[monitor], self.step
        return True

    def _save(self, *, best: bool) -> None:
        if self.keeper is None or self._saved_step == self.step:
            return
        for observer in self.observers:
            observer.settle()
        self.keeper.save(self.step, self.state, self.progress.to_json())
        self._saved_step = self.step
        if best and self.progress.best is not None:
            self.keeper.mark_best(self.step, self.progress.best)

    def _heed_signals(self) -> None:
        signal = self.stop_requested()
        if signal is None:
            return
        self._drain()
        self._save(best=False)
        where = f"saved at step {self.step}" if self.keeper is not None else f"stopped at step {self.step}, not saved"
        raise Interrupted(
            f"{signal}: {where}; the same command with the same run.dir goes on from there",
            _signal.Signals[signal],
        )

    def _emit(self, step: int, split: str, values: dict[str, float]) -> None:
        epoch = round(step / self.runner.schedule.steps_per_epoch, 6)
        record = {"step": step, "epoch": epoch, "split": split, **values}
        for observer in self.observers:
            observer.record(record)
