"""Checkpoints of a state that may lie in copies or parts: what is kept is one plain state, whatever the layout.

One process writes and reads them. The arrays that it reads go to the others from device to device, so that all
processes have the same checkpoint even where they do not see the same disk, and only one of them digests its files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from framework.checkpoint import Checkpoints, take_part, to_device
from framework.core.trees import named_leaves
from framework.parallel.hosts.arrays import share
from framework.parallel.hosts.team import Company
from framework.parallel.strategy import Strategy


@dataclass(frozen=True)
class PlainKeeper:
    """The checkpoints of a run, for a loop over placed states.

    Attributes:
      checkpoints: None in a process that leaves the writing to another one.
    """

    checkpoints: Checkpoints | None
    strategy: Strategy

    def save(self, step: int, state: Any, progress: dict[str, Any]) -> None:
        """Keep the state and the progress of a step."""
        plain = self.strategy.plain_state(state)
        if self.checkpoints is None:
            take_part(plain)
        else:
            self.checkpoints.save(step, plain, progress)

    def mark_best(self, step: int, value: float) -> bool:
        """Say that a kept step is the best so far."""
        return self.checkpoints is not None and self.checkpoints.mark_best(step, value)


def restored(
    company: Company, checkpoints: Checkpoints | None, step: int | None, strategy: Strategy, shapes: Any
) -> tuple[Any, dict[str, Any]]:
    """A plain state and its progress out of the checkpoints, in every process.

    Args:
      checkpoints: those that process 0 reads.
      step: None for the newest.
      shapes: the abstract state.

    Raises:
      RunError: see `Checkpoints.restore`.
    """
    like = strategy.state_like(shapes)
    read: list[dict[str, np.ndarray]] = []

    def at_first() -> dict[str, Any]:
        assert checkpoints is not None
        arrays, progress = checkpoints.read(step, like)
        read.append(arrays)
        return progress

    progress = company.tell("a checkpoint", at_first)
    arrays = read[0] if company.count == 1 else share(read[0] if read else None, named_leaves(like))
    return to_device(arrays, like), progress
