"""The layout of one device: plain `jax.jit`, perhaps with the name of an axis that has this one device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax

from framework.parallel.inside import WHOLE, Inside
from framework.parallel.strategy import Kind


@dataclass(frozen=True)
class Single:
    """Everything on one device, the first by default.

    Attributes:
      options: of XLA's compiler.
      axis: a name that is bound inside of compiled functions, as `jax.pmap` binds one; there is one place along it.
    """

    device: Any
    name: str = "single"
    axis: str | None = None
    batch_multiple: int = 1
    inside: Inside = WHOLE
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def default(cls, options: Mapping[str, Any] | None = None) -> Single:
        """The layout on the first local device of the default platform."""
        return cls(jax.local_devices()[0], options=options or {})

    @property
    def devices(self) -> tuple[Any, ...]:
        """The one device."""
        return (self.device,)

    def place_state(self, state: Any) -> Any:
        """The state on the device; leaves that are there already are not copied."""
        return jax.device_put(state, self.device)

    def plain_state(self, state: Any) -> Any:
        """The state itself."""
        return state

    def state_like(self, shapes: Any) -> Any:
        """The shapes alone: there is one place to go."""
        return shapes

    def place_shared(self, tree: Any) -> Any:
        """The arrays on the device."""
        return jax.device_put(tree, self.device)

    def place_rows(self, tree: Any, axis: int = 0) -> Any:
        """The arrays on the device."""
        del axis
        return jax.device_put(tree, self.device)

    def rows_here(self, rows: int) -> None:
        """All of them."""
        del rows

    def place_part(self, tree: Any, rows: int, axis: int = 0) -> Any:
        """The arrays on the device."""
        del rows
        return self.place_rows(tree, axis)

    def compile(
        self,
        function: Callable[..., Any],
        *,
        takes: Sequence[Kind],
        gives: Kind | tuple[Kind, ...],
        donate: tuple[int, ...] = (),
    ) -> Callable[..., Any]:
        """`jax.jit` with donated arguments."""
        del takes, gives
        function = function if self.axis is None else named(function, self.axis)
        return jax.jit(function, donate_argnums=donate, compiler_options=dict(self.options) or None)


def named(function: Callable[..., Any], axis: str) -> Callable[..., Any]:
    """The function with a named axis of size 1 around it, which no array has.

    Sums along the axis are what is summed, and the index is 0, so XLA compiles what it compiles without the name.
    """

    def bound(*arguments: Any) -> Any:
        # What reads its index along the axis gives a result that has it, what does not gives one that gets it here.
        result = jax.vmap(function, in_axes=None, out_axes=0, axis_name=axis, axis_size=1)(*arguments)  # pyright: ignore[reportArgumentType]
        return jax.tree.map(lambda leaf: leaf[0], result)

    return bound
