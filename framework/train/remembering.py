"""A layout of one device whose programs are found again by the recipe and the data that they were made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax

from framework.config.compose.loaded import Loaded
from framework.config.signature import signature_text
from framework.lowering.memory import memory_bytes
from framework.parallel.single import Single
from framework.parallel.strategy import Kind, Strategy
from framework.runtime.known import Known, kept
from framework.runtime.programs import programs


def known_of(loaded: Loaded) -> Known | None:
    """What earlier processes made for recipes of this signature.

    Returns:
      None where nothing is kept, or where what is traced may be more than the recipe says: with a user's own code,
      which may read anything, and under JAX's switches for debugging.
    """
    store = programs()
    debugged = jax.config.jax_debug_nans or jax.config.jax_debug_infs or jax.config.jax_disable_jit  # pyright: ignore[reportAttributeAccessIssue]
    if store is None or debugged or _foreign(loaded.tree):
        return None
    return store.known(signature_text(loaded.config), str(memory_bytes()))


def _foreign(tree: Any) -> bool:
    """Whether a recipe names a user's own code, or holds objects of Python that no text tells whole."""
    try:
        return "_target_" in json.dumps(tree)
    except TypeError:
        return True


@dataclass(frozen=True)
class Remembering(Single):
    """One device, with programs that are kept from process to process."""

    known: Known | None = None

    @classmethod
    def over(cls, layout: Strategy, known: Known | None) -> Strategy:
        """The layout with programs that are kept, where it has one device and no names."""
        if known is None or not isinstance(layout, Single) or layout.axis is not None:
            return layout
        return cls(**{field.name: getattr(layout, field.name) for field in fields(Single)}, known=known)

    def compile(
        self,
        function: Callable[..., Any],
        *,
        takes: Sequence[Kind],
        gives: Kind | tuple[Kind, ...],
        donate: tuple[int, ...] = (),
    ) -> Callable[..., Any]:
        """The function, which is looked up where it is first called with arguments of some shapes."""
        assert self.known is not None
        named = kept(function, function.__name__)
        jitted = super().compile(named, takes=takes, gives=gives, donate=donate)
        return _Remembered(jitted, self.devices, self.known)


def recalled(layout: Strategy, name: str, tell: Callable[[], Any]) -> Any:
    """What tracing tells, as it did before where the layout remembers."""
    known = layout.known if isinstance(layout, Remembering) else None
    return tell() if known is None else known.value(name, tell)


class _Remembered:
    def __init__(self, jitted: Any, devices: Sequence[Any], known: Known) -> None:
        self._jitted = jitted
        self._devices = devices
        self._known = known
        self._made: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(arguments))
        if shapes not in self._made:
            self._made[shapes] = self._known.program(self._jitted, arguments, self._devices)
        return self._made[shapes](*arguments)
