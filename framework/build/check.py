"""The abstract evaluation of a whole recipe: every shape from data to optimizer, nothing loaded, nothing compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from framework.build.classes import counts, too_few, too_many
from framework.build.experiment import Experiment
from framework.build.state import State
from framework.core.errors import ConfigError, Problem
from framework.data.description import DataSpec
from framework.network.abstract import shapes_only


@dataclass(frozen=True)
class Checked:
    """The shapes and dtypes of a recipe that fits together.

    Attributes:
      state: before the first step.
      results: of an evaluation, by name.
      outputs: of the network for a batch, by name.
      warnings: what is suspicious but not wrong, a sentence each, which begins with its key.
    """

    state: State
    results: dict[str, Any]
    outputs: dict[str, Any]
    warnings: tuple[str, ...] = ()


def check(experiment: Experiment, described: DataSpec | None = None) -> Checked:
    """Trace `init`, `step`, `evaluate` and `predict` with `jax.eval_shape`.

    Args:
      described: what the data says of itself; None: of how many classes or tokens it is, is not looked at.

    Raises:
      ConfigError: something does not fit; all independent problems are told at once.
    """
    problems: list[Problem] = []
    with shapes_only():
        state = _attempt(problems, lambda: jax.eval_shape(lambda: experiment.init()))
        if state is None:
            raise ConfigError(problems)
        batch = experiment.example_batch(experiment.config.data.batch_size)
        _attempt(problems, lambda: jax.eval_shape(lambda s, b: experiment.step(s, b), state, batch))
        evaluated = _attempt(problems, lambda: jax.eval_shape(lambda s, b: _evaluated(experiment, s, b), state, batch))
        outputs = None if evaluated is None else evaluated[1]
        if outputs is None or not experiment.predicts_as_it_evaluates:
            # A user's own module may keep what only losses and metrics ask for.
            outputs = _attempt(problems, lambda: jax.eval_shape(lambda s, b: experiment.predict(s, b), state, batch))
    known = {} if described is None else counts(described)
    if outputs is not None:
        lacking, blamed = too_few(experiment, outputs, known)
        problems = [*(problem for problem in problems if not problem.key.startswith(blamed)), *lacking]
    _check_monitors(experiment, problems)
    if problems or evaluated is None:
        raise ConfigError(dict.fromkeys(problems))
    results, outputs = evaluated
    return Checked(state, results, outputs, tuple(too_many(experiment, outputs, known)))


def _evaluated(experiment: Experiment, state: State, batch: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    evaluation, outputs = experiment.evaluate_and_predict(state, batch, experiment.evaluation())
    return experiment.summarise(evaluation), outputs


def _attempt(problems: list[Problem], function: Any) -> Any:
    try:
        return function()
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _check_monitors(experiment: Experiment, problems: list[Problem]) -> None:
    """A monitor names a split and one scalar result, such as `valid.loss`."""
    config = experiment.config
    known = [f"valid.{name}" for name in ("loss", *experiment.losses, *experiment.metric_wires)]
    monitors = {"checkpoint.monitor": config.checkpoint.monitor}
    if config.trainer.early_stop is not None:
        monitors["trainer.early_stop.monitor"] = config.trainer.early_stop.monitor
    for key, value in monitors.items():
        if value is not None and value not in known:
            problems.append(
                Problem(key=key, found=f"unknown value '{value}'", expected=", ".join(known), fix=f"{key}={known[0]}")
            )
