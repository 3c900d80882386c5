"""The layout of one device: plain `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax


@dataclass(frozen=True)
class Single:
    """Everything on one device, the first by default."""

    device: Any
    name: str = "single"

    @classmethod
    def default(cls) -> Single:
        """The layout on the first local device of the default platform."""
        return cls(jax.local_devices()[0])

    @property
    def devices(self) -> tuple[Any, ...]:
        """The one device."""
        return (self.device,)

    def place_state(self, state: Any) -> Any:
        """The state on the device; leaves that are there already are not copied."""
        return jax.device_put(state, self.device)

    def place_batch(self, batch: Any) -> Any:
        """The batch on the device."""
        return jax.device_put(batch, self.device)

    def compile(self, function: Callable[..., Any], *, donate: tuple[int, ...] = ()) -> Callable[..., Any]:
        """`jax.jit` with donated arguments."""
        return jax.jit(function, donate_argnums=donate)
