"""The stages of a recipe, one after the other, in one run directory: train, evaluate, predict.

A stage that finished is recorded in `stages.json` and skipped when the same command runs again with the same `run.dir`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from framework.build.state import State
from framework.checkpoint import Checkpoints
from framework.config.compose import dump
from framework.config.compose.loaded import Loaded
from framework.core.errors import Interrupted, Problem, RunError
from framework.core.keypaths import flatten
from framework.core.trees import size
from framework.parallel.hosts.joining import join
from framework.parallel.hosts.team import Team
from framework.parallel.strategy import SHARED, STATE
from framework.report.jsonl import MetricLog, read_records
from framework.train import results
from framework.train.directory import RunDirectory, UnwrittenDirectory, fresh
from framework.train.environment import environment
from framework.train.illustration import illustrate
from framework.train.keeping import PlainKeeper, restored
from framework.train.loop import Loop, Observer
from framework.train.observers import LogObserver, ProgramKeeper
from framework.train.progress import Progress
from framework.train.runner import Runner
from framework.train.saved import state_of
from framework.train.setup import Setup, located
from framework.train.signals import StopSignals


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run came to.

    Attributes:
      path: the run directory.
      setup: the recipe with its data and experiment.
      result: the content of `result.json`.
      done: stages that ran now.
      skipped: stages that had finished before.
      state: the state that training ended with, where it ran now.
      first: whether this process is the one that speaks for all that ran it together.
    """

    path: Path
    setup: Setup
    result: dict[str, Any]
    done: tuple[str, ...]
    skipped: tuple[str, ...]
    state: State | None = None
    first: bool = True

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the metric log."""
        return read_records(self.path / "metrics.jsonl")


def run(
    loaded: Loaded,
    stages: Sequence[str] | None = None,
    *,
    observers: Sequence[Observer] = (),
    directory: Path | None = None,
    setup: Setup | None = None,
) -> Outcome:
    """Run stages of a recipe.

    Everything that can be found wrong without compiling is told before the run directory is made.

    Args:
      loaded: the recipe.
      stages: which; by default the recipe's `run.stages`.
      observers: told of each record and of progress, besides the metric log and TensorBoard.
      setup: the recipe with its data where they were opened before.
      directory: where; by default the recipe's `run.dir`, else a new folder `runs/<recipe>/<time>`.

    Raises:
      ConfigError: the recipe or its data has problems.
      RunError: the run directory cannot be used, or the loss became NaN.
      Interrupted: a signal asked to stop; the run saved itself.
    """
    setup = setup or Setup(loaded)
    tree = setup.config.model_dump(mode="json")
    with located(loaded):
        company = join(setup.config.parallel, _agreed(tree))
    with company.at_work():
        company.together("the recipe", setup.check_once)
        chosen = tuple(stages or setup.config.run.stages)
        # It opens the data, so that its problems are told before anything is written, and so are those of the devices.
        company.together("the data", lambda: setup.check_splits(chosen))
        company.together("the layout", lambda: setup.strategy)
        with _home(setup, tree, directory) as home:
            if home.read("environment.json") is None:
                home.write("environment.json", environment())
            home.write("data.json", setup.dataset.facts())
            session = _Session(setup, home, tuple(observers) if company.first else ())
            done, skipped = [], []
            for stage in chosen:
                if company.tell("what is finished", lambda: stage in home.stages()):  # noqa: B023 - called at once
                    skipped.append(stage)
                    continue
                if stage == "train":
                    company.tell("whose member it is", lambda: _refuse_of_population(home.path))
                try:
                    home.finish(stage, getattr(session, stage)())
                except Interrupted as error:
                    if directory is not None or setup.config.run.dir is not None:
                        raise
                    # Nobody chose the folder, so nobody knows what to type.
                    raise Interrupted(f"{error}: run.dir={home.path}", error.exit_code - 128) from None
                done.append(stage)
            result = company.tell("the result", lambda: home.read("result.json") or {})
            return Outcome(home.path, setup, result, tuple(done), tuple(skipped), session.state, company.first)


def _home(setup: Setup, tree: dict[str, Any], directory: Path | None) -> RunDirectory:
    """The run directory, which process 0 makes and holds for all."""
    company, made = setup.company, []

    def hold() -> str:
        asked = directory or (Path(setup.config.run.dir) if setup.config.run.dir else None)
        path = asked or fresh(setup.config.name)
        made.append(RunDirectory.create_or_resume(path, tree, yaml_text=dump(tree)))
        return str(path)

    path = Path(company.tell("the run directory", hold))
    if isinstance(company, Team):
        company.where = str(path)
    return made[0] if made else UnwrittenDirectory(path)


def _refuse_of_population(path: Path) -> None:
    """A member of a population took over weights and values of others, which its recipe does not hold.

    Raises:
      RunError: it is one, and its training has not ended.
    """
    if (path / "hyper.jsonl").exists():
        found = "is a member of a population, whose traced values changed while it trained (hyper.jsonl)"
        expected = "the sweep that it belongs to, which goes on with all members"
        fix = f"fw sweep RECIPE ... sweep.dir={path.parent}"
        raise RunError(Problem(str(path), found, expected, fix=fix))


def _agreed(tree: dict[str, Any]) -> dict[str, str]:
    """What every process must have alike. Each has a number of its own, and may be told to draw its progress or not."""
    return {
        key: json.dumps(value, default=str)
        for key, value in flatten(tree).items()
        if not key.startswith(("parallel.hosts", "report."))
    }


class _Session:
    """One process at work in a run directory; a method for each stage, giving what `stages.json` keeps of it."""

    def __init__(self, setup: Setup, home: RunDirectory, observers: tuple[Observer, ...]) -> None:
        self.setup = setup
        self.company = setup.company
        self.home = home
        self.observers = observers
        self.state: State | None = None

    def train(self) -> dict[str, Any]:
        """Train from the newest checkpoint, or from the start."""
        started = time.perf_counter()
        setup, config = self.setup, self.setup.config
        with ExitStack() as stack:
            signals = stack.enter_context(StopSignals())
            checkpoints = self._checkpoints()
            if checkpoints is not None:
                stack.enter_context(checkpoints)
            state, progress, step = self._begin(checkpoints)
            observers = self._observers(step, stack) if self.company.first else []
            runner = Runner(setup.experiment, setup.dataset, setup.remembering, self.company)
            stack.callback(runner.close)
            loop = Loop(
                experiment=setup.experiment,
                runner=runner,
                evaluator=setup.evaluator if "valid" in setup.dataset.splits else None,
                state=state,
                progress=progress,
                observers=observers,
                keeper=PlainKeeper(checkpoints, setup.strategy) if config.checkpoint.enabled else None,
                step=step,
                stop_requested=lambda: self.company.agreed_stop(signals.received),
                company=self.company,
            )
            state = setup.strategy.plain_state(loop.run())
            jax.block_until_ready(state)
        self.state = state
        seconds = time.perf_counter() - started
        summary = results.trained(config, loop.step, size(state.params), seconds, loop.progress)
        self._result(summary)
        return summary

    def _observers(self, step: int, stack: ExitStack) -> list[Observer]:
        """Those who write what happens, and those who were given."""
        log = MetricLog(self.home.metrics)
        log.truncate_after(step)
        observers: list[Observer] = [LogObserver(log), ProgramKeeper(), *self.observers]
        if self.setup.config.report.tensorboard:
            from framework.report.tensorboard import TensorBoard

            board = TensorBoard(self.home.tensorboard, purge_step=step + 1 if step else None)
            board.config(self.home.config.read_text(encoding="utf-8"))
            stack.callback(board.close)
            observers.append(board)
        return observers

    def evaluate(self) -> dict[str, Any]:
        """Evaluate the best (or last) checkpoint on the recipe's splits."""
        step, state = self.trained()
        metrics = {split: self.setup.evaluator.evaluate(state, split) for split in self.setup.evaluated_splits}
        result, stage = results.evaluated(metrics, step)
        self._result(result)
        illustrate(self.setup, self.home, state, metrics)
        return stage

    def predict(self) -> dict[str, Any]:
        """Write the outputs for the recipe's splits to `predictions/<split>.npz`."""
        _, state = self.trained()
        setup, writes = self.setup, self.company.first
        return results.predicted(setup.evaluator, state, setup.evaluated_splits, self.home.path, writes=writes)

    def trained(self) -> tuple[int, State]:
        """The state to evaluate: the best checkpoint or the last; without checkpoints, the one just trained."""
        which = self.setup.config.run.evaluate_checkpoint
        state = state_of(self.setup, self.home.path, which, self.state)
        return int(state.step), state

    def _begin(self, checkpoints: Checkpoints | None) -> tuple[State, Progress, int]:
        setup = self.setup
        newest = self.company.tell("the newest checkpoint", lambda: checkpoints.latest() if checkpoints else None)
        if newest is not None:
            state, saved = restored(self.company, checkpoints, newest, setup.strategy, self._like())
            progress = Progress.from_json(saved)
            if checkpoints is not None and progress.best_step is not None and progress.best is not None:
                checkpoints.mark_best(progress.best_step, progress.best)
            return setup.strategy.place_state(state), progress, int(state.step)
        init = setup.remembering.compile(setup.experiment.init, takes=(SHARED,), gives=STATE)
        state = init(np.uint32(setup.config.seed))
        return setup.strategy.place_state(state), Progress(), 0

    def _checkpoints(self) -> Checkpoints | None:
        """Those of the run; None where it keeps none, and in a process that leaves them to another one."""
        section = self.setup.config.checkpoint
        written = section.enabled and self.company.first
        return Checkpoints(self.home.checkpoints, keep=section.keep) if written else None

    def _like(self) -> State:
        return self.setup.shapes

    def _result(self, values: dict[str, Any]) -> None:
        self.home.write("result.json", (self.home.read("result.json") or {}) | values)
