"""Between a state on its devices and plain host arrays by dotted path, with a check that the two agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from framework.checkpoint.manifest import Leaf
from framework.core.errors import Problem, RunError
from framework.core.trees import named_leaves
from framework.parallel.hosts.arrays import whole

_TOLD = 5


def to_host(state: Any) -> tuple[dict[str, np.ndarray], dict[str, Leaf]]:
    """Copies a state to the host: its arrays and their descriptions, by dotted path.

    The copies share no memory with the state, so its buffers may be donated as soon as this returns. A typed random
    key is kept as its raw uint32 data, and its description remembers the type. None is no leaf but structure.

    Of a state that is divided over processes each must call this. An array that no process has whole is brought
    together on their devices, one at a time, so that beside the state there is one whole array.

    Raises:
      ValueError: two leaves have the same path.
    """
    leaves = _named(state)
    for leaf in leaves.values():
        if isinstance(leaf, jax.Array) and leaf.is_fully_addressable:
            _raw(leaf).copy_to_host_async()
    # np.array and not np.asarray: on the CPU the latter is a view of the device's buffer.
    arrays = {name: np.array(_whole(_raw(leaf)), copy=True) for name, leaf in leaves.items()}
    return arrays, {name: describe(leaf) for name, leaf in leaves.items()}


def take_part(state: Any) -> None:
    """What a process does while another one, which writes, calls `to_host`."""
    for leaf in _named(state).values():
        _whole(_raw(leaf))


def _whole(leaf: Any) -> Any:
    return whole(leaf) if isinstance(leaf, jax.Array) else leaf


def to_device(arrays: Mapping[str, np.ndarray], like: Any) -> Any:
    """Puts host arrays in the structure of `like`, each where its counterpart lies or is to lie.

    A counterpart without a sharding, or that is not committed to its device, leaves the choice to JAX.
    """
    leaves = [_place(arrays[name], leaf) for name, leaf in _named(like).items()]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def describe(leaf: Any) -> Leaf:
    """The shape and dtype of an array, a `jax.ShapeDtypeStruct` or a number."""
    if not hasattr(leaf, "dtype"):
        leaf = np.asarray(leaf)
    return Leaf(tuple(leaf.shape), str(leaf.dtype))


def check_same(saved: Mapping[str, Leaf], like: Any, checkpoint: str) -> None:
    """Compares what a checkpoint holds with what is to be restored.

    Raises:
      RunError: an array is missing, left over, or of another shape or dtype; the first few are named.
    """
    wanted = {name: describe(leaf) for name, leaf in _named(like).items()}
    differences = [
        *(f"{name}: {leaf} is not in the checkpoint" for name, leaf in wanted.items() if name not in saved),
        *(f"{name}: {leaf} is only in the checkpoint" for name, leaf in saved.items() if name not in wanted),
        *(
            f"{name}: {saved[name]} in the checkpoint, {leaf} in the network"
            for name, leaf in wanted.items()
            if name in saved and saved[name] != leaf
        ),
    ]
    if not differences:
        return
    told = differences[:_TOLD]
    if len(differences) > _TOLD:
        told.append(f"… and {len(differences) - _TOLD} more")
    raise RunError(
        Problem(
            key=checkpoint,
            found="does not hold the arrays of this network and optimizer\n  " + "\n  ".join(told),
            expected="the checkpoint of a run with the same network and optimizer",
            fix="take the recipe that made it (config.yaml in its run), or another run.dir=PATH",
        )
    )


def _named(tree: Any) -> dict[str, Any]:
    leaves = named_leaves(tree)
    if len(leaves) != len(jax.tree.leaves(tree)):
        raise ValueError("two leaves of the state have the same dotted path; rename the one whose name holds a dot")
    return leaves


def _raw(leaf: Any) -> Any:
    if _is_key(leaf):
        _implementation(leaf)
        return jax.random.key_data(leaf)
    return leaf


def _is_key(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _implementation(key: Any) -> str:
    # A key's dtype names its implementation, but JAX has no public way from a `ShapeDtypeStruct` to it.
    known = {"key<fry>": "threefry2x32", "key<rbg>": "rbg", "key<urbg>": "unsafe_rbg"}
    if str(key.dtype) not in known:
        raise ValueError(f"random keys of type {key.dtype} cannot be saved; keep their raw data (jax.random.key_data)")
    return known[str(key.dtype)]


def _place(value: np.ndarray, like: Any) -> Any:
    sharding = getattr(like, "sharding", None) if getattr(like, "committed", True) else None
    if _is_key(like):
        return jax.random.wrap_key_data(jax.device_put(value), impl=_implementation(like))
    if sharding is not None and not sharding.is_fully_addressable:
        return jax.make_array_from_callback(value.shape, sharding, lambda index: value[index])
    return jax.device_put(value, sharding)
