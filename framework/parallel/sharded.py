"""The layouts of one program that XLA divides among the devices of a mesh: `data`, `fsdp`, `tensor` and products."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from framework.core.trees import named_leaves
from framework.parallel.division import Divided
from framework.parallel.inside import Inside
from framework.parallel.pinned import Pinned
from framework.parallel.strategy import STATE, Kind, Rows

ROW_AXES = ("data", "fsdp")
"""The axes that a batch is divided among."""


def row_parts(axes: Mapping[str, int]) -> int:
    """Into how many parts a batch is divided."""
    return math.prod(axes.get(axis, 1) for axis in ROW_AXES)


def make_mesh(axes: Mapping[str, int], devices: Sequence[Any]) -> Mesh:
    """A mesh whose shardings XLA propagates; the last axis joins the devices that are nearest to each other."""
    return jax.make_mesh(
        tuple(axes.values()), tuple(axes), axis_types=(AxisType.Auto,) * len(axes), devices=tuple(devices)
    )


class Sharded:
    """State divided as `divided` says, batches along their rows, over a mesh.

    Args:
      name: the word that the section `parallel` uses.
      mesh: its axes are those of `divided`.
      divided: how each array of the state is divided.
      shapes: the abstract state.
      options: of XLA's compiler.
    """

    def __init__(
        self, name: str, mesh: Mesh, divided: Divided, shapes: Any, options: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        self._options = dict(options or {}) or None
        self.mesh = mesh
        self.divided = divided
        leaves = [self._named(*divided.leaves[path].spec) for path in named_leaves(shapes)]
        self._state = jax.tree.unflatten(jax.tree.structure(shapes), leaves)
        self._rows = tuple(axis for axis in ROW_AXES if mesh.shape.get(axis, 1) > 1)
        self.inside: Inside = Pinned(self._state, self._named(self._rows), mesh, divided)

    @property
    def devices(self) -> tuple[Any, ...]:
        """The devices of the mesh, in its order."""
        return tuple(self.mesh.devices.flat)

    @property
    def batch_multiple(self) -> int:
        """The number of parts of a batch."""
        return row_parts(self.mesh.shape)

    def place_state(self, state: Any) -> Any:
        """Each part of the state on its device; a leaf that lies so already is not copied."""
        return _put(state, self._state)

    def plain_state(self, state: Any) -> Any:
        """The state itself: a divided array has its own shape."""
        return state

    def state_like(self, shapes: Any) -> Any:
        """The shapes with shardings, so that no device ever holds the whole of what is divided."""
        return jax.tree.map(
            lambda leaf, sharding: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), shapes, self._state
        )

    def place_shared(self, tree: Any) -> Any:
        """A copy on each device."""
        return _put(tree, self._named())

    def place_rows(self, tree: Any, axis: int = 0) -> Any:
        """Each part of the rows on its device."""
        return _put(tree, self._taken(Rows(axis)))

    def rows_here(self, rows: int) -> np.ndarray | None:
        """The rows of the devices of this process; None where all devices are."""
        if not self._apart:
            return None
        positions = np.arange(rows)
        parts = self._named(self._rows).addressable_devices_indices_map((rows,)).values()
        return np.unique(np.concatenate([positions if part is None else positions[part] for part in parts]))

    def place_part(self, tree: Any, rows: int, axis: int = 0) -> Any:
        """Each part of the rows on its device, from the rows of this process."""
        here = self.rows_here(rows)
        if here is None:
            return self.place_rows(tree, axis)
        sharding = self._taken(Rows(axis))

        def placed(leaf: Any) -> Any:
            def part(index: Any) -> Any:
                first, stop, _ = index[axis].indices(rows)
                start = int(np.searchsorted(here, first))
                return leaf[(*index[:axis], slice(start, start + stop - first), *index[axis + 1 :])]

            return jax.make_array_from_callback((*leaf.shape[:axis], rows, *leaf.shape[axis + 1 :]), sharding, part)

        return jax.tree.map(placed, tree)

    def compile(
        self,
        function: Callable[..., Any],
        *,
        takes: Sequence[Kind],
        gives: Kind | tuple[Kind, ...],
        donate: tuple[int, ...] = (),
    ) -> Callable[..., Any]:
        """`jax.jit` with the shardings of arguments and results fixed, so that a state never drifts."""
        results = tuple(map(self._given, gives)) if isinstance(gives, tuple) else self._given(gives)
        program = jax.jit(
            function,
            in_shardings=tuple(map(self._taken, takes)),
            out_shardings=results,
            donate_argnums=donate,
            compiler_options=self._options,
        )
        if not self._apart:
            return program

        def call(*arguments: Any) -> Any:
            # Of a host array, `jit` would not know which part of the batch it is.
            return program(
                *(
                    self.place_rows(value, kind.axis) if isinstance(kind, Rows) else value
                    for kind, value in zip(takes, arguments, strict=True)
                )
            )

        return call

    def _taken(self, kind: Kind) -> Any:
        if isinstance(kind, Rows):
            return self._named(*[None] * kind.axis, self._rows)
        return self._state if kind is STATE else self._named()

    def _given(self, kind: Kind) -> Any:
        # What a network gives need not begin with a batch axis, so its outputs lie as XLA leaves them; or on each
        # device, where a process could not read what others hold.
        if isinstance(kind, Rows):
            return self._named() if self._apart else None
        return self._taken(kind)

    @property
    def _apart(self) -> bool:
        """Whether some devices belong to other processes."""
        return not self._named().is_fully_addressable

    def _named(self, *spec: Any) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec(*spec))


def _put(tree: Any, shardings: Any) -> Any:
    """The arrays by their shardings; of a device on another process, the part of a host array that goes there."""
    first = jax.tree.leaves(shardings)[0] if jax.tree.leaves(shardings) else None
    if first is None or first.is_fully_addressable:
        return jax.device_put(tree, shardings)
    if isinstance(shardings, NamedSharding):
        shardings = jax.tree.map(lambda _: shardings, tree)
    return jax.tree.map(_put_parts, tree, shardings)


def _put_parts(value: Any, sharding: NamedSharding) -> Any:
    if isinstance(value, jax.Array) and value.sharding == sharding:
        return value
    host = np.asarray(value)
    return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])
