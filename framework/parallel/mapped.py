"""The layout of `jax.pmap`: a copy of the state on each device, each taking its rows of the batch.

Here every copy is an array of its own: what is placed has one more axis, which counts the devices. It stands first in
states and shared arrays, and before the rows of each device in batches. For one device alone it is not worth having,
see `layout`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from framework.parallel.inside import Inside
from framework.parallel.single import Single
from framework.parallel.strategy import OWN, SHARED, STATE, Kind, Rows, Strategy

AXIS = "data"


class _OverDevices(Inside):
    """Each device sees its own rows alone."""

    axis = AXIS


def layout(devices: Sequence[Any], shapes: Any, options: Mapping[str, Any] | None = None) -> Strategy:
    """The layout `pmap` over these devices; `options` of XLA's compiler can be given for one device alone.

    One device has nobody to sum with: the name of the axis is bound all the same, but no array gets one more axis, and
    no sum is compiled. On a CPU, `jax.pmap` costs a small step a tenth for the axis and a fifth for the sums.
    """
    return Mapped(devices, shapes) if len(devices) > 1 else Single(devices[0], Mapped.name, AXIS, options=options or {})


class Mapped:
    """`jax.pmap` over several devices.

    Args:
      devices: of all processes. Each process places and takes what lies on its own; sums go over all.
      shapes: the abstract state, by which a placed state is told from a plain one.
    """

    name = "pmap"
    inside: Inside = _OverDevices()

    def __init__(self, devices: Sequence[Any], shapes: Any) -> None:
        self._devices = tuple(devices)
        self._shapes = [tuple(leaf.shape) for leaf in jax.tree.leaves(shapes)]
        self._here = tuple(
            number for number, device in enumerate(devices) if device.process_index == jax.process_index()
        )
        own = tuple(self._devices[number] for number in self._here)
        self._mesh = jax.make_mesh((len(own),), (AXIS,), axis_types=(AxisType.Auto,), devices=own)

    @property
    def devices(self) -> tuple[Any, ...]:
        """The devices, in the order of the axis."""
        return self._devices

    @property
    def batch_multiple(self) -> int:
        """The number of devices."""
        return len(self._devices)

    def place_state(self, state: Any) -> Any:
        """A copy on each device."""
        return state if self._is_placed(state) else self.place_shared(state)

    def plain_state(self, state: Any) -> Any:
        """The copy of the first device; all are the same."""
        if not self._is_placed(state):
            return state
        return jax.tree.map(lambda leaf: leaf.addressable_shards[0].data[0], state)

    def state_like(self, shapes: Any) -> Any:
        """The shapes alone: copies are made by `place_state`."""
        return shapes

    def place_shared(self, tree: Any) -> Any:
        """A copy on each device."""
        return self._put(jax.tree.map(self._copies, tree), 0)

    def place_rows(self, tree: Any, axis: int = 0) -> Any:
        """The rows of each device on it."""
        return self._put(jax.tree.map(lambda leaf: self._parts(leaf, axis), tree), axis)

    def rows_here(self, rows: int) -> np.ndarray | None:
        """The rows of the devices of this process; None where all devices are."""
        if not self._apart:
            return None
        return np.arange(rows).reshape(len(self._devices), -1)[list(self._here)].reshape(-1)

    def place_part(self, tree: Any, rows: int, axis: int = 0) -> Any:
        """The rows of each device on it, from the rows of this process."""
        del rows
        return self._put(jax.tree.map(lambda leaf: _cut(leaf, axis, len(self._here)), tree), axis)

    def compile(
        self,
        function: Callable[..., Any],
        *,
        takes: Sequence[Kind],
        gives: Kind | tuple[Kind, ...],
        donate: tuple[int, ...] = (),
    ) -> Callable[..., Any]:
        """`jax.pmap` with the axis named."""
        results = tuple(map(_out_axis, gives)) if isinstance(gives, tuple) else _out_axis(gives)
        gathers = self._apart and isinstance(gives, Rows)
        if gathers:
            # The rows of other processes cannot be read here, so each device gets all of them.
            results = None
        program = jax.pmap(
            _gathering(function) if gathers else function,
            axis_name=AXIS,
            in_axes=tuple(kind.axis if isinstance(kind, Rows) else 0 for kind in takes),
            out_axes=results,  # pyright: ignore[reportArgumentType]
            devices=self._devices,
            donate_argnums=donate,
        )

        def call(*arguments: Any) -> Any:
            given = (self._taken(kind, value) for kind, value in zip(takes, arguments, strict=True))
            result = program(*given)
            return jax.tree.map(_joined, result) if isinstance(gives, Rows) else result

        return call

    def _taken(self, kind: Kind, value: Any) -> Any:
        """An argument as the program takes it: what is placed as it is, host arrays in parts or copies."""
        if kind is STATE or kind is OWN:
            return value
        make = (lambda leaf: self._parts(leaf, kind.axis)) if isinstance(kind, Rows) else self._copies
        return jax.tree.map(lambda leaf: leaf if isinstance(leaf, jax.Array) else make(leaf), value)

    def _copies(self, leaf: Any) -> Any:
        host = np.asarray(leaf)
        return np.broadcast_to(host, (len(self._here), *host.shape))

    def _parts(self, leaf: Any, axis: int) -> Any:
        parts = _cut(leaf, axis, len(self._devices))
        return np.take(parts, self._here, axis) if self._apart else parts

    @property
    def _apart(self) -> bool:
        """Whether some devices belong to other processes."""
        return len(self._here) < len(self._devices)

    def _put(self, tree: Any, axis: int) -> Any:
        return jax.device_put(tree, NamedSharding(self._mesh, PartitionSpec(*[None] * axis, AXIS)))

    def _is_placed(self, state: Any) -> bool:
        first = jax.tree.leaves(state)[0]
        return tuple(first.shape) == (len(self._here), *self._shapes[0])


def _cut(leaf: Any, axis: int, count: int) -> np.ndarray:
    """The rows in `count` equal parts, which a new axis before them counts."""
    host = np.asarray(leaf)
    return host.reshape(*host.shape[:axis], count, host.shape[axis] // count, *host.shape[axis + 1 :])


def _gathering(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the results of all devices, along a new first axis."""

    def gathered(*arguments: Any) -> Any:
        return lax.all_gather(function(*arguments), AXIS)

    return gathered


def _out_axis(kind: Kind) -> int | None:
    return None if kind is SHARED else 0


def _joined(leaf: Any) -> Any:
    """The rows of all devices as one batch; of what has no rows, the copy of the first."""
    return leaf.reshape(-1, *leaf.shape[2:]) if leaf.ndim > 1 else leaf[0]
