"""The face for Python. Names are loaded on first use, so that importing this package costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.library.drawings import draw
    from framework.library.experiments import Experiment, Network, Result, load, open_run
    from framework.library.sweep_results import SweepResult
    from framework.library.sweeps import open_sweep, sweep

_HOMES = {
    "Experiment": "experiments",
    "Network": "experiments",
    "Result": "experiments",
    "SweepResult": "sweep_results",
    "draw": "drawings",
    "load": "experiments",
    "open_run": "experiments",
    "open_sweep": "sweeps",
    "sweep": "sweeps",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = [
    "Experiment",
    "Network",
    "Result",
    "SweepResult",
    "draw",
    "load",
    "open_run",
    "open_sweep",
    "sweep",
]
