"""The table of nodes: shapes, parameters and operations, worked out abstractly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
from flax import linen as nn

from framework.config.language.graph import Graph
from framework.core.trees import size
from framework.network.context import Context
from framework.network.graph.bodies import leaf_module
from framework.network.graph.call import Call, Visit
from framework.network.graph.operations import operations


@dataclass(frozen=True)
class NodeRow:
    """One node of a network.

    Attributes:
      path: its names from the network down, dotted.
      op: the word that YAML uses.
      inputs: the shape and dtype of each input that is given; the batch axis included.
      output: likewise, of what it gives; a mapping by name where it gives several.
      parameters: how many numbers it trains, those of nodes inside it included; none where they are another node's.
      flops: floating point operations of one forward pass, those of nodes inside it included; a multiplication and
        an addition count as two.
      copies: how many times it is applied, for a `repeat`.
      depth: how many nodes it is inside of.
    """

    path: str
    op: str
    inputs: tuple[Any, ...]
    output: Any
    parameters: int
    flops: int
    copies: int
    depth: int


def rows(module: nn.Module, inputs: list[Any], call: Call) -> list[NodeRow]:
    """The rows of all nodes, each before those inside it."""
    visits: list[Visit | None] = []
    watched = replace(call, visits=visits)
    shapes = [jax.ShapeDtypeStruct(item.shape, item.dtype) for item in inputs]

    def start(*arrays: Any) -> Any:
        key = jax.random.key(0)
        return module.init({"params": key, "dropout": key}, *arrays, call=watched)

    variables = jax.eval_shape(start, *shapes)
    # A scan may trace its body more than once; the calls of one node in one place are one row.
    last = {(visit.node.path, visit.where): visit for visit in visits if visit is not None}
    found = [_row(visit, variables) for visit in last.values()]
    return [_with_insides(row, found) for row in found]


def _row(visit: Visit, variables: Mapping[str, Any]) -> NodeRow:
    node = visit.node
    held = {name: part for name, tree in variables.items() if (part := _below(tree, visit.where))}
    return NodeRow(
        ".".join(visit.where) if visit.owns else node.path,
        node.op,
        tuple(value for value in visit.inputs if value is not None),
        visit.output,
        size(held.get("params", {})) if visit.owns else 0,
        0 if isinstance(node.body, Graph) else visit.copies * _flops(visit, held),
        visit.copies,
        node.path.count("."),
    )


def _with_insides(row: NodeRow, found: list[NodeRow]) -> NodeRow:
    inside = sum(other.flops for other in found if other.path.startswith(f"{row.path}."))
    return replace(row, flops=row.flops + inside)


def _below(tree: Any, where: tuple[str, ...]) -> Any:
    for name in where:
        if not isinstance(tree, Mapping) or name not in tree:
            return {}
        tree = tree[name]
    return tree


def _flops(visit: Visit, held: Mapping[str, Any]) -> int:
    """The operations of one copy, counted in the program that JAX traces for it."""
    single = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[visit.scans :], leaf.dtype), dict(held))
    return operations(
        lambda variables, *values: leaf_module(visit.node, None).apply(variables, *values, context=Context()),
        single,
        *visit.inputs,
    )
