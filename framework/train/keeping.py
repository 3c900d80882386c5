"""Checkpoints of a state that may lie in copies: what is kept is one plain state, whatever the layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from framework.checkpoint import Checkpoints
from framework.parallel.strategy import Strategy


@dataclass(frozen=True)
class PlainKeeper:
    """The checkpoints of a run, for a loop over placed states."""

    checkpoints: Checkpoints
    strategy: Strategy

    def save(self, step: int, state: Any, progress: dict[str, Any]) -> None:
        """Keep the state and the progress of a step."""
        self.checkpoints.save(step, self.strategy.plain_state(state), progress)

    def mark_best(self, step: int, value: float) -> bool:
        """Say that a kept step is the best so far."""
        return self.checkpoints.mark_best(step, value)
