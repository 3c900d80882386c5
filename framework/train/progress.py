"""What the loop remembers besides the state on the device. It is JSON, and travels with every checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np


@dataclass
class Progress:
    """The memory of the loop.

    Attributes:
      window: per-step values since the last training record, by name; Python floats hold float32 exactly.
      best: the best monitored value so far, None before the first.
      best_step: the step that had it.
      stale: validations without an improvement, for early stopping.
      reference: the value that early stopping measures improvement against.
      finished: nothing is left to train, at the last step or by early stopping.
      reason: why it finished.
    """

    window: dict[str, list[float]] = field(default_factory=dict)
    best: float | None = None
    best_step: int | None = None
    stale: int = 0
    reference: float | None = None
    finished: bool = False
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain dict."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**values)

    def extend(self, columns: dict[str, np.ndarray]) -> None:
        """Take the values of some consecutive steps into the window."""
        for name, column in columns.items():
            self.window.setdefault(name, []).extend(column.astype(np.float64).tolist())

    def flush(self) -> dict[str, float]:
        """The means over the window, which is empty afterwards; of the learning rate the last value."""
        means = {
            name: values[-1] if name == "learning_rate" else float(np.mean(np.asarray(values, np.float64)))
            for name, values in self.window.items()
        }
        self.window = {}
        return means


def improves(value: float, reference: float | None, mode: str, min_delta: float = 0.0) -> bool:
    """Whether `value` is better than `reference` by more than `min_delta`; a NaN never is."""
    if np.isnan(value):
        return False
    if reference is None:
        return True
    return value < reference - min_delta if mode == "min" else value > reference + min_delta
