"""Decoupled weight decay, and which parameters it reaches."""

from __future__ import annotations

from typing import Any, Literal

import jax
import optax
from jax.typing import ArrayLike

_NEVER_KERNELS = frozenset({"bias", "scale"})


def decayed(weight_decay: ArrayLike, mask: Literal["kernels", "all"]) -> optax.GradientTransformation:
    """Add `weight_decay x parameter` to each update that `mask` reaches; see `decays`.

    A Python zero is compiled away, a traced zero is not; the state is empty either way.
    """
    if isinstance(weight_decay, int | float) and weight_decay == 0:
        return optax.identity()

    def add(updates: Any, params: Any) -> Any:
        return jax.tree.map(
            lambda reached, update, param: update + weight_decay * param if reached else update,
            decays(params, mask),
            updates,
            params,
        )

    return optax.stateless(add)


def decays(params: Any, mask: Literal["kernels", "all"]) -> Any:
    """For each parameter, whether it decays.

    `kernels` reaches arrays of rank two and more that are not called `bias` or `scale`. The names matter where layers
    are stacked: a stack of twelve biases is an array of rank two.
    """
    return jax.tree_util.tree_map_with_path(
        lambda path, param: mask == "all" or (param.ndim >= 2 and _name(path) not in _NEVER_KERNELS), params
    )


def _name(path: tuple[Any, ...]) -> str:
    return str(getattr(path[-1], "key", "")) if path else ""
