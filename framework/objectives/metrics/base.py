"""What a metric is: an empty state, the state of one batch, how two states merge, and what is read off at the end."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import jax
from jax.typing import ArrayLike

State = Any
"""A pytree of arrays. Its structure, shapes and types are those of `init()` throughout."""


@dataclass(frozen=True)
class Metric:
    """Pure functions that measure a split batch by batch.

    `merge(state of some rows, state of other rows)` is the state of all of them, so devices, chunks and batches may be
    combined in any order: counts are int32 and exact up to 2**31 - 1, real sums carry their rounding error along (see
    `sums`). Rows whose mask is 0 do not count.

    Attributes:
      init: () -> the state of no rows.
      measure: (mask, **wired arrays) -> the state of one batch; mask is [batch], or [batch, ...] as the labels.
      merge: (state, state) -> state.
      compute: state -> the value; NaN where it is not defined, such as the mean of no rows.
      higher_is_better: which way a model improves.
      kind: `scalar`, or `matrix` for what is drawn rather than logged.
    """

    init: Callable[[], State]
    measure: Callable[..., State]
    merge: Callable[[State, State], State]
    compute: Callable[[State], jax.Array]
    higher_is_better: bool
    kind: Literal["scalar", "matrix"] = "scalar"

    def update(self, state: State, mask: ArrayLike | None, **wired: Any) -> State:
        """The state with one more batch taken in.

        Args:
          mask: [batch], or with more leading axes of the labels; 0 for rows that do not count; None: all count.
          wired: the arrays by name; see `wires`.

        Raises:
          ValueError: a shape or type does not fit; told while tracing.
        """
        return self.merge(state, self.measure(mask, **wired))

    @cached_property
    def wires(self) -> tuple[str, ...]:
        """The names of the arrays that `update` takes."""
        return tuple(inspect.signature(self.measure).parameters)[1:]


def added(one: State, other: State) -> State:
    """The merge of states that are counts: leaf by leaf, the sum."""
    return jax.tree.map(lambda a, b: a + b, one, other)
