"""The training state: one pytree that a step takes and gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """Everything that training changes.

    Attributes:
      step: int32 scalar, the optimizer steps taken.
      params: trained arrays.
      collections: other variables of the network, such as `batch_stats`; empty where it has none.
      opt_state: of the optimizer.
      rng: uint32[2], raw data of the key that all random draws derive from together with `step`.
      ema: an exponential moving average of `params`; an empty dict where none is kept.
    """

    step: jax.Array
    params: Any
    collections: dict[str, Any]
    opt_state: Any
    rng: jax.Array
    ema: Any

    @property
    def variables(self) -> dict[str, Any]:
        """What the network is trained with: `{"params": ..., **collections}`."""
        return {"params": self.params, **self.collections}

    @property
    def best_variables(self) -> dict[str, Any]:
        """What the network is evaluated with: the moving average where one is kept, else the parameters."""
        return {"params": self.ema or self.params, **self.collections}

    def replace(self, **changes: Any) -> State:
        """A copy with some fields changed."""
        return replace(self, **changes)
