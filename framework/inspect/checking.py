"""A whole recipe evaluated abstractly, and told in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError, Problem
from framework.core.trees import size
from framework.train.setup import Setup


@dataclass(frozen=True)
class Finding:
    """One line: what was checked, its name, and what came of it."""

    topic: str
    name: str
    result: str


@dataclass(frozen=True)
class Report:
    """A recipe that fits together.

    Attributes:
      findings: data, network, losses, metrics, optimizer, in the order in which data meets them.
      warnings: what is suspicious but not wrong.
    """

    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]


def check(loaded: Loaded) -> Report:
    """Evaluate a recipe with `jax.eval_shape`: data -> network -> losses -> metrics -> optimizer.

    No data is read and nothing is compiled.

    Raises:
      ConfigError: something does not fit; all independent problems are told, with their origins.
    """
    setup = Setup(loaded)
    checked = setup.check()
    experiment, config, state = setup.abstract, setup.config, checked.state
    batch = experiment.example_batch(config.data.batch_size)
    findings = [
        Finding("data", config.data.type, ""),
        *(Finding("", f"batch.{name}", shape_text(spec)) for name, spec in batch.items() if name != "mask"),
        Finding("network", f"{len(experiment.network.graph.nodes)} nodes", f"{size(state.params):,} parameters"),
        *(Finding("", f"outputs.{name}", shape_text(spec)) for name, spec in checked.outputs.items()),
        *_wired("losses", experiment.losses, {}),
        *_wired("metrics", experiment.metric_wires, checked.results),
        Finding("optimizer", config.optimizer.type, f"{size(state.opt_state):,} numbers of state"),
        Finding("", config.optimizer.schedule.type, f"schedule over {_length(config)}"),
    ]
    warnings = (*experiment.network.graph.warnings, *checked.warnings)
    return Report(tuple(findings), tuple(_placed(text, loaded) for text in warnings))


def _placed(warning: str, loaded: Loaded) -> str:
    """A warning, which begins with its key, and the file and line that it is about."""
    problem = Problem(warning.partition(": ")[0], "")
    origin = ConfigError(problem).located(loaded.origins).problems[0].origin
    return f"{warning} ({origin})" if origin else warning


def _wired(topic: str, bounds: Mapping[str, Any], results: Mapping[str, Any]) -> list[Finding]:
    found = []
    for name, bound in bounds.items():
        wires = ", ".join(bound.wires.values())
        result = results.get(name)
        shape = f" -> {shape_text(result)}" if result is not None and result.shape else ""
        found.append(Finding("" if found else topic, name, f"{bound.target or bound.type} of {wires}{shape}"))
    return found


def _length(config: Any) -> str:
    return f"{config.trainer.steps:,} steps" if config.trainer.steps else f"{config.trainer.epochs:,} epochs"


def shape_text(spec: Any) -> str:
    """Dtype and shape, e.g. `float32[64, 10]`."""
    return f"{spec.dtype}{list(spec.shape)}"
