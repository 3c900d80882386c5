"""Deep learning from a declared recipe: YAML in, pure JAX functions compiled once, durable runs out.

    import framework as fw

    experiment = fw.load("digits_mlp", ["trainer.epochs=2"])
    result = experiment.train()
    experiment.evaluate("test")
    experiment.predict(images)

Importing this package is cheap: JAX is loaded on the first use of anything that computes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.core.errors import ConfigError, DataError, FrameworkError, Interrupted, RunError
    from framework.library import Experiment, Network, Result, load, open_run

_FACE = {
    "ConfigError": "framework.core.errors",
    "DataError": "framework.core.errors",
    "Experiment": "framework.library",
    "FrameworkError": "framework.core.errors",
    "Interrupted": "framework.core.errors",
    "Network": "framework.library",
    "Result": "framework.library",
    "RunError": "framework.core.errors",
    "load": "framework.library",
    "open_run": "framework.library",
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
    "load",
    "open_run",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'framework' has no attribute '{name}'")
    return getattr(importlib.import_module(_FACE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_FACE})
