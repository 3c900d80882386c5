"""The abstract evaluation of a whole recipe: every shape from data to optimizer, nothing loaded, nothing compiled."""

from __future__ import annotations

from typing import Any

import jax

from framework.build.experiment import Experiment
from framework.build.state import State
from framework.core.errors import ConfigError, Problem


def check(experiment: Experiment) -> tuple[State, dict[str, Any]]:
    """Trace `init`, `step` and `evaluate` with `jax.eval_shape`.

    Returns:
      The abstract state, and the abstract results of an evaluation by name.

    Raises:
      ConfigError: something does not fit; all independent problems are told at once.
    """
    problems: list[Problem] = []
    state = _attempt(problems, lambda: jax.eval_shape(experiment.init))
    if state is None:
        raise ConfigError(problems)
    batch = experiment.example_batch(experiment.config.data.batch_size)
    _attempt(problems, lambda: jax.eval_shape(experiment.step, state, batch))
    results = _attempt(problems, lambda: jax.eval_shape(lambda s, b: _evaluated(experiment, s, b), state, batch))
    _check_monitors(experiment, problems)
    if problems or results is None:
        raise ConfigError(dict.fromkeys(problems))
    return state, results


def _evaluated(experiment: Experiment, state: State, batch: Any) -> dict[str, Any]:
    return experiment.summarise(experiment.evaluate(state, batch, experiment.evaluation()))


def _attempt(problems: list[Problem], function: Any) -> Any:
    try:
        return function()
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _check_monitors(experiment: Experiment, problems: list[Problem]) -> None:
    """A monitor names a split and one scalar result, such as `valid.loss`."""
    config = experiment.config
    known = [f"valid.{name}" for name in ("loss", *experiment.losses, *experiment.metrics)]
    monitors = {"checkpoint.monitor": config.checkpoint.monitor}
    if config.trainer.early_stop is not None:
        monitors["trainer.early_stop.monitor"] = config.trainer.early_stop.monitor
    for key, value in monitors.items():
        if value is not None and value not in known:
            problems.append(
                Problem(key=key, found=f"unknown value '{value}'", expected=", ".join(known), fix=f"{key}={known[0]}")
            )
