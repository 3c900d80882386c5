"""Which parameters the words of a node reach: `freeze` and `kernel_regularizer`, by the names that the nodes give them.

A node's words hold for all that is inside of it. What `share` takes from another node is that one's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from framework.config.language.graph import REGULARIZER, Graph, Node
from framework.core.errors import ConfigError, Problem


@dataclass(frozen=True)
class Penalty:
    """A term of the loss: weight · sum |w| (`l1`) or weight · sum w² (`l2`) over one array.

    Attributes:
      path: of the array among the parameters, dotted.
      kind: `l1` or `l2`.
      key: the config key of the weight, under which `hyper` may hold a value.
      weight: the value used where `hyper` has none.
    """

    path: str
    kind: str
    key: str
    weight: float


def frozen(graph: Graph, paths: Iterable[str]) -> frozenset[str]:
    """The paths of the parameters that stay as they are.

    Raises:
      ConfigError: a node with `freeze` has no parameters.
    """
    marked = [(node, pattern) for node, pattern in _patterns(graph) if node.freeze]
    if not marked:
        return frozenset()
    held = list(paths)
    _require_match(marked, held, "freeze", "parameters")
    return frozenset(path for path in held if any(pattern.match(path) for _, pattern in marked))


def penalties(graph: Graph, paths: Iterable[str]) -> tuple[Penalty, ...]:
    """The terms that `kernel_regularizer` adds; of a node inside another one its own word counts alone.

    Kernels are the arrays whose names end in `kernel`.

    Raises:
      ConfigError: a node with `kernel_regularizer` has no kernel.
    """
    marked = [(node, pattern) for node, pattern in _patterns(graph) if _weights(node)]
    if not marked:
        return ()
    kernels = [path for path in paths if path.endswith("kernel")]
    _require_match(marked, kernels, REGULARIZER, "kernel")
    found = []
    for path in kernels:
        inside = [node for node, pattern in marked if pattern.match(path)]
        # Nodes come before those inside of them.
        found += [Penalty(path, *term) for node in inside[-1:] for term in _weights(node)]
    return tuple(found)


def total_penalty(terms: Iterable[Penalty], params: Mapping[str, Any], hyper: Mapping[str, Any]) -> jax.Array:
    """The sum of the terms, float32.

    Args:
      params: arrays by path.
      hyper: traced scalars by config key.
    """
    total = jnp.zeros((), jnp.float32)
    for term in terms:
        array = params[term.path].astype(jnp.promote_types(params[term.path].dtype, jnp.float32))
        size = jnp.abs(array).sum() if term.kind == "l1" else jnp.square(array).sum()
        total = total + hyper.get(term.key, term.weight) * size
    return total


def _weights(node: Node) -> list[tuple[str, str, float]]:
    """(kind, key, weight) of each term of a node."""
    prefix = f"{REGULARIZER}."
    return [(name.removeprefix(prefix), key, value) for name, key, value in node.traced if name.startswith(prefix)]


def _patterns(graph: Graph, before: str = "") -> Iterator[tuple[Node, re.Pattern[str]]]:
    """Each node with what the paths of its parameters match, outer nodes first."""
    for node in graph.nodes:
        # Copies that are not stacked have names of their own, such as `stage_0`.
        name = before + re.escape(node.share or node.name) + (r"(_\d+)?" if node.repeat > 1 else "") + r"\."
        # A node that shares has nothing of its own to mark, and matches nothing.
        yield node, re.compile(r"(?!)" if node.share else name)
        if isinstance(node.body, Graph) and not node.share:
            yield from _patterns(node.body, name)


def _require_match(marked: Iterable[tuple[Node, re.Pattern[str]]], paths: Iterable[str], word: str, what: str) -> None:
    held = list(paths)
    problems = [
        Problem(
            f"{node.key}.{word}",
            f"'{node.name}' has no {what} of its own" + (f": it shares those of '{node.share}'" if node.share else ""),
            f"a node with {what}",
            f"~{node.key}.{word}",
        )
        for node, pattern in marked
        if not any(pattern.match(path) for path in held)
    ]
    if problems:
        raise ConfigError(dict.fromkeys(problems))
