"""Queries, keys and masks of attention cut into blocks of time."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


@dataclass(frozen=True)
class Tiles:
    """How time is cut: the last blocks are filled with zeros.

    Attributes:
      queries, keys: how many there are.
      groups: of heads that read the same keys.
      block: how many queries and keys a block has.
      causal: query q sees keys 0 to q.
    """

    queries: int
    keys: int
    groups: int
    block: int
    causal: bool

    def pairs(self) -> tuple[jax.Array, jax.Array]:
        """(query block, key block) of each pair of which something may be seen, one block of queries after another."""
        rows, columns = (-(-time // self.block) for time in (self.queries, self.keys))
        seen = np.tri(rows, columns, dtype=bool) if self.causal else np.ones((rows, columns), bool)
        row, column = np.nonzero(seen)
        return jnp.asarray(row, jnp.int32), jnp.asarray(column, jnp.int32)

    def cut(self, x: jax.Array) -> jax.Array:
        """[batch, time, heads, features] as [blocks, batch, groups, heads / groups, block, features]."""
        batch, time, heads, features = x.shape
        blocks = -(-time // self.block)
        x = jnp.pad(x, ((0, 0), (0, blocks * self.block - time), (0, 0), (0, 0)))
        split = x.reshape(batch, blocks, self.block, self.groups, heads // self.groups, features)
        return split.transpose(1, 0, 3, 4, 2, 5)

    def joined(self, x: jax.Array, time: int) -> jax.Array:
        """What `cut` was given, of so much time."""
        blocks, batch, groups, each, block, features = x.shape
        laid = x.transpose(1, 0, 4, 2, 3, 5).reshape(batch, blocks * block, groups * each, features)
        return laid[:, :time]

    def cut_mask(self, mask: jax.Array | None) -> jax.Array | None:
        """[batch, heads, ...] as [batch, groups, heads / groups, ...], both times filled up with false."""
        if mask is None:
            return None
        batch, heads, queries, keys = mask.shape
        groups = self.groups if heads > 1 else 1
        after = (0 if queries == 1 else -queries % self.block, -keys % self.block)
        filled = jnp.pad(mask, ((0, 0), (0, 0), (0, after[0]), (0, after[1])))
        return filled.reshape(batch, groups, heads // groups, queries + after[0], keys + after[1])

    def visible(self, mask: jax.Array | None, row: jax.Array, column: jax.Array) -> jax.Array | None:
        """Which keys of block `column` the queries of block `row` see, `mask` from `cut_mask`; None: all of them."""
        found = None
        place = (self.block, self.block)
        key = column * self.block + lax.broadcasted_iota(jnp.int32, place, 1)
        if self.causal:
            found = key <= row * self.block + lax.broadcasted_iota(jnp.int32, place, 0)
        if mask is None:
            if self.keys % self.block:
                within = key < self.keys
                found = within if found is None else found & within
            return found
        part = lax.dynamic_slice_in_dim(mask, column * self.block, self.block, 4)
        if mask.shape[3] > 1:
            part = lax.dynamic_slice_in_dim(part, row * self.block, self.block, 3)
        return part if found is None else part & found
