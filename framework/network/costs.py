"""Costs that layers tell besides their output: a number for each example, which losses read as `costs.NAME`.

Each stands on the rows of the batch, so that padding, devices with rows of their own and weights are treated as for any
other loss. Of one name, all layers and all copies of a repeated one add up.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.core.errors import ConfigError, Problem

COSTS = "costs"
"""The collection that they are sown in."""


def asked_for(module: nn.Module) -> bool:
    """Whether anyone reads costs in this call."""
    return module.is_mutable_collection(COSTS) and not module.is_initializing()


def tell(module: nn.Module, name: str, values: jax.Array) -> None:
    """Add a cost of each example, [batch], under a name; nothing where nobody asks."""
    if asked_for(module):
        module.sow(COSTS, name, values, reduce_fn=operator.add, init_fn=lambda: jnp.zeros((), values.dtype))


def added_up(tree: Mapping[str, Any], rows: int, *, by_step: bool = False) -> dict[str, jax.Array]:
    """The sum of what all layers told, [batch] by name.

    Args:
      tree: the collection; a scan puts axes in front, which count copies.
      rows: the size of the batch.
      by_step: some layers see each step of an example as a row of its own; those of one example add up.

    Raises:
      ConfigError: a layer told something else than one number for each example.
    """
    totals: dict[str, jax.Array] = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        *nodes, name = (part.key for part in path if isinstance(part, jax.tree_util.DictKey))
        if by_step and leaf.ndim and leaf.shape[-1] % rows == 0:
            leaf = leaf.reshape(*leaf.shape[:-1], rows, -1).sum(-1)
        if leaf.ndim == 0 or leaf.shape[-1] != rows:
            raise ConfigError(
                Problem(
                    f"costs.{name}",
                    f"{'.'.join(nodes) or 'the network'} tells {leaf.dtype}{list(leaf.shape)}",
                    f"one number for each of the {rows} examples, [batch]; the mean over them is taken with the loss",
                )
            )
        total = leaf.sum(tuple(range(leaf.ndim - 1)))
        totals[name] = totals[name] + total if name in totals else total
    return totals


def averaged(tree: Mapping[str, Any], rows: int, names: Collection[str]) -> dict[str, jax.Array]:
    """The mean of what all layers told under some of the names, [batch] by name: over layers, copies and steps.

    Args:
      tree: as for `added_up`, which must have accepted it.
    """
    found: dict[str, list[jax.Array]] = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        name = path[-1].key
        if name in names:
            found.setdefault(name, []).append(leaf.reshape(-1, rows, leaf.shape[-1] // rows).mean((0, 2)))
    return {name: jnp.mean(jnp.stack(values), 0) for name, values in found.items()}
