"""Helpers over pytrees of arrays: dotted leaf names, counts and bytes."""

from __future__ import annotations

import math
from typing import Any

import jax


def named_leaves(tree: Any) -> dict[str, Any]:
    """The leaves of a pytree by dotted path, in tree order: `params.hidden.kernel`, `opt_state.0.mu.hidden.kernel`."""
    return {
        ".".join(_part(entry) for entry in path): leaf for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
    }


def _part(entry: Any) -> str:
    for attribute in ("key", "name", "idx"):
        if hasattr(entry, attribute):
            return str(getattr(entry, attribute))
    return str(entry)


def size(tree: Any) -> int:
    """How many numbers the arrays of a tree hold together. Works on `jax.ShapeDtypeStruct` too."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


def nbytes(tree: Any) -> int:
    """How many bytes the arrays of a tree take together. Works on `jax.ShapeDtypeStruct` too."""
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
