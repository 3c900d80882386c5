"""Deep learning from a declared recipe: YAML in, pure JAX functions compiled once, durable runs out.

    import framework as fw

    experiment = fw.load("digits_mlp", ["trainer.epochs=2"])
    result = experiment.train()
    experiment.evaluate("test")
    experiment.predict(images)
    fw.sweep("digits_mlp", {"optimizer.learning_rate": fw.log_uniform(1e-4, 1e-1), "seed": range(8)})

Importing this package is cheap: JAX is loaded on the first use of anything that computes.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.core.errors import ConfigError, DataError, FrameworkError, Interrupted, RunError
    from framework.library import Experiment, Network, Result, SweepResult, draw, load, open_run, open_sweep, sweep
    from framework.sweep.values import choice, log_uniform, uniform

_FACE = {
    "ConfigError": "framework.core.errors",
    "DataError": "framework.core.errors",
    "Experiment": "framework.library",
    "FrameworkError": "framework.core.errors",
    "Interrupted": "framework.core.errors",
    "Network": "framework.library",
    "Result": "framework.library",
    "RunError": "framework.core.errors",
    "SweepResult": "framework.library",
    "choice": "framework.sweep.values",
    "draw": "framework.library",
    "load": "framework.library",
    "log_uniform": "framework.sweep.values",
    "open_run": "framework.library",
    "open_sweep": "framework.library",
    "uniform": "framework.sweep.values",
}

__all__ = [
    "ConfigError",
    "DataError",
    "Experiment",
    "FrameworkError",
    "Interrupted",
    "Network",
    "Result",
    "RunError",
    "SweepResult",
    "choice",
    "draw",
    "load",
    "log_uniform",
    "open_run",
    "open_sweep",
    "sweep",
    "uniform",
]
__version__ = "0.1.0"


class _Sweep(ModuleType):
    """The package `framework.sweep`, which is also what one calls: `fw.sweep(recipe, space)`.

    Python binds a package as an attribute of the one above it, so that a function of the same name could not stay.
    """

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """See `framework.library.sweeps.sweep`."""
        from framework.library.sweeps import sweep

        return sweep(*arguments, **settings)


importlib.import_module("framework.sweep").__class__ = _Sweep


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'framework' has no attribute '{name}'")
    return getattr(importlib.import_module(_FACE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
