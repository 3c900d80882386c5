"""A strategy: where states and batches live, and how a function is compiled for that layout.

Whoever compiles a function says what each argument and result is (its kind), and needs to know nothing else:

    STATE   the training state, divided or copied as the layout says
    SHARED  the same for all devices: traced scalars, resident arrays, logs
    OWN     a partial result that each device may have its own of, until they are combined: an evaluation under way
    Rows    arrays with a batch axis, of which each device has a part
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import numpy as np

from framework.parallel.inside import Inside


class Role(Enum):
    """What an argument or result of a compiled function is, where it has no batch axis."""

    STATE = "state"
    SHARED = "shared"
    OWN = "own"


@dataclass(frozen=True)
class Rows:
    """Arrays with a batch axis.

    Attributes:
      axis: where it stands.
    """

    axis: int = 0


Kind = Role | Rows
STATE, SHARED, OWN = Role.STATE, Role.SHARED, Role.OWN


class Strategy(Protocol):
    """One layout over devices. All strategies mean the same computation."""

    @property
    def name(self) -> str:
        """The word that the section `parallel` uses."""
        ...

    @property
    def devices(self) -> tuple[Any, ...]:
        """The devices in use."""
        ...

    @property
    def batch_multiple(self) -> int:
        """What the size of every batch must be a multiple of."""
        ...

    @property
    def inside(self) -> Inside:
        """What the functions that are compiled may know of the layout."""
        ...

    def place_state(self, state: Any) -> Any:
        """The state with every leaf on its devices; one that is there already is left as it is."""
        ...

    def plain_state(self, state: Any) -> Any:
        """A placed state as pure functions and checkpoints take it: every array of its own shape, without copies."""
        ...

    def state_like(self, shapes: Any) -> Any:
        """`jax.ShapeDtypeStruct`s for a state that is read from disk, with shardings where leaves go apart."""
        ...

    def place_shared(self, tree: Any) -> Any:
        """Arrays that every device needs whole, on all devices."""
        ...

    def place_rows(self, tree: Any, axis: int = 0) -> Any:
        """Host arrays with a batch axis at `axis`, each part on its device."""
        ...

    def rows_here(self, rows: int) -> np.ndarray | None:
        """Which of a batch's rows the devices of this process need, in ascending order; None: all of them."""
        ...

    def place_part(self, tree: Any, rows: int, axis: int = 0) -> Any:
        """As `place_rows`, from host arrays that hold the rows of `rows_here(rows)` alone."""
        ...

    def compile(
        self,
        function: Callable[..., Any],
        *,
        takes: Sequence[Kind],
        gives: Kind | tuple[Kind, ...],
        donate: tuple[int, ...] = (),
    ) -> Callable[..., Any]:
        """The compiled function.

        States must be placed before; host arrays of the other kinds are placed on the way.

        Args:
          function: takes positional arguments alone.
          takes: the kind of each argument.
          gives: the kind of the result, or of each of its parts where it is a tuple.
          donate: positions of arguments that are consumed by each call.
        """
        ...
