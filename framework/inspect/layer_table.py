"""The layers of a network: shapes, parameters and floating-point operations, all told without computing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import jax

from framework.config.compose.loaded import Loaded
from framework.config.language.graph import Graph, Node
from framework.core.trees import size
from framework.inspect.checking import shape_text
from framework.inspect.flops import Scope, count
from framework.train.setup import Setup


@dataclass(frozen=True)
class Row:
    """One node.

    Attributes:
      depth: how many blocks it lies inside.
      name: of the node.
      op: the word that YAML uses, with the count of copies where it is repeated.
      output: dtype and shape of what it gives, for one batch.
      parameters: trained numbers in it and below, all copies counted.
      flops: floating-point operations of one forward pass over the batch, in it and below.
    """

    depth: int
    name: str
    op: str
    output: str
    parameters: int
    flops: int


@dataclass(frozen=True)
class LayerTable:
    """A network, node by node.

    Attributes:
      inputs: name -> dtype and shape.
      rows: nodes in the order in which data meets them.
      parameters, flops: of the whole network.
      state: other numbers that it keeps, such as batch statistics.
      batch_size: examples that shapes and operations are for.
    """

    inputs: dict[str, str]
    rows: tuple[Row, ...]
    parameters: int
    flops: int
    state: int
    batch_size: int


def layer_table(loaded: Loaded, *, batch_size: int = 1, depth: int = 1) -> LayerTable:
    """The layers of a recipe's network.

    Args:
      batch_size: examples.
      depth: how many levels of blocks are opened; 1 shows the network's own nodes alone.

    Raises:
      ConfigError: the recipe does not fit together.
    """
    setup = Setup(loaded)
    setup.check()
    experiment = setup.abstract
    network = experiment.network
    state = jax.eval_shape(experiment.init)
    inputs = experiment.example_inputs(batch_size)
    fed: Any = inputs if network.wiring else next(iter(inputs.values()))
    nodes = list(_opened(network.graph, depth))
    shapes = jax.eval_shape(
        lambda variables, given: network.apply(variables, given, probes=tuple(node.path for _, node in nodes)),
        state.variables,
        fed,
    )[1].get("intermediates", {})
    operations = count(lambda variables, given: network.apply(variables, given)[0], state.variables, fed)
    rows = tuple(_row(level, node, shapes, state.params, operations) for level, node in nodes)
    return LayerTable(
        inputs={name: shape_text(spec) for name, spec in inputs.items()},
        rows=rows,
        parameters=size(state.params),
        flops=operations.total(),
        state=size(state.collections),
        batch_size=batch_size,
    )


def _opened(graph: Graph, depth: int, level: int = 0) -> list[tuple[int, Node]]:
    found = []
    for node in graph.nodes:
        found.append((level, node))
        if isinstance(node.body, Graph) and level + 1 < depth:
            found += _opened(node.body, depth, level + 1)
    return found


def _row(level: int, node: Node, shapes: Any, params: Any, operations: Counter[Scope]) -> Row:
    return Row(0, "", "", "", 0, 0)
