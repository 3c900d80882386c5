"""Constraints inside of a traced function that keep XLA to a layout over a mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from framework.parallel.division import PARAMS, Divided
from framework.parallel.inside import Inside


@dataclass(frozen=True, eq=False)
class Pinned(Inside):
    """The inside of a program that XLA divides over a mesh.

    Attributes:
      state: a sharding for each leaf of the state.
      rows: the sharding of an array that begins with a batch axis.
      divided: how each array of the state is divided.
    """

    state: Any
    rows: NamedSharding
    mesh: Mesh
    divided: Divided

    @property
    def gathers(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Where parameters are divided over the axis that divides the batch too."""
        return self.divided.axes.get("fsdp", 1) > 1

    def pin_state(self, state: Any) -> Any:
        """The state, divided as it is between steps."""
        return jax.lax.with_sharding_constraint(state, self.state)

    def pin_params(self, tree: Any) -> Any:
        """Parameters or gradients divided as parameters are; of gradients, each device then needs its part alone."""
        return jax.lax.with_sharding_constraint(tree, self.state.params)

    def pin_rows(self, tree: Any) -> Any:
        """Arrays divided along their first axis."""
        return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, self.rows), tree)

    def whole(self, where: tuple[str, ...], params: Any) -> Any:
        """Parameters with what `fsdp` divides brought together.

        It must be said here. A batch and a weight that are divided over one axis meet in every layer, and where XLA
        settles that by itself it may move activations instead of weights; of a mesh with three axes, XLA of jaxlib
        0.10.2 has computed wrong gradients.
        """
        return jax.tree_util.tree_map_with_path(lambda path, leaf: self._brought(where, path, leaf), params)

    def gathering(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; the backward pass brings weights together again, so that no device keeps them all."""
        return jax.checkpoint(function, policy=_kept) if self.gathers else function  # pyright: ignore[reportArgumentType]

    def _brought(self, where: tuple[str, ...], path: Any, leaf: Any) -> Any:
        name = ".".join((*where, *(str(part.key) for part in path)))
        division = self.divided.leaves[PARAMS + name]
        spec = division.spec[division.stacked :]
        if "fsdp" not in spec or leaf.ndim != len(spec):
            return leaf
        kept = PartitionSpec(*(None if axis == "fsdp" else axis for axis in spec))
        return jax.lax.with_sharding_constraint(leaf, NamedSharding(self.mesh, kept))


def _kept(primitive: Any, *_: Any, **__: Any) -> bool:
    """Whether the backward pass may use what a primitive gave; what a constraint gave is made again."""
    return primitive.name != "sharding_constraint"
