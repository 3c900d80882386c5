"""What a traced function may know of the layout that it runs in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Inside:
    """Nothing: one device, which has everything.

    Attributes:
      axis: name of the axis over which each device runs the function on rows of its own; None: it sees all rows.
      gathers: whether `whole` does anything: parameters lie in parts that are brought together where they are used.
    """

    axis: str | None = None
    gathers: bool = False

    def pin_state(self, state: Any) -> Any:
        """The state, laid out as it is between steps."""
        return state

    def pin_params(self, tree: Any) -> Any:
        """A tree of parameters or their gradients, laid out as the parameters are between steps."""
        return tree

    def pin_rows(self, tree: Any) -> Any:
        """Arrays that begin with a batch axis, divided along it."""
        return tree

    def whole(self, where: tuple[str, ...], params: Any) -> Any:
        """Parameters as a layer uses them.

        Args:
          where: the names under which they stand among all parameters.
          params: some of them, or one copy of what is stacked. What is still stacked stays in parts until it is asked
            for copy by copy.
        """
        del where
        return params

    def gathering(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function for differentiation, without keeping until the backward pass what `whole` brought."""
        return function


WHOLE = Inside()
"""The inside of a single device."""
