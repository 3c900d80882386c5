"""A strategy: where states and batches live, and how a step function is compiled for that layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


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

    def place_state(self, state: Any) -> Any:
        """The state with every leaf on its devices."""
        ...

    def place_batch(self, batch: Any) -> Any:
        """Host or device arrays with a leading batch axis, on their devices."""
        ...

    def compile(self, function: Callable[..., Any], *, donate: tuple[int, ...] = ()) -> Callable[..., Any]:
        """The compiled function; the arguments at the positions in `donate` are consumed by each call."""
        ...
