"""The layers of a network: shapes, parameters and floating-point operations, all told without computing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.config.compose.loaded import Loaded
from framework.core.trees import named_leaves, size
from framework.inspect.checking import shape_text
from framework.network.marks import frozen
from framework.train.setup import Setup


@dataclass(frozen=True)
class Row:
    """One node.

    Attributes:
      depth: how many nodes it is inside of.
      name: of the node, among its siblings.
      op: the word that YAML uses, with the number of copies where it is repeated, and whether it is frozen.
      output: dtype and shape of what it gives.
      parameters: numbers, those of nodes inside it and of all copies included.
      flops: floating-point operations of one forward pass, counted likewise.
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
      rows: nodes in the order in which data meets them, each before those inside it.
      parameters, flops: of the whole network.
      frozen: how many of the parameters are not trained.
      statistics: numbers that it keeps besides parameters, such as means of batches.
      batch_size: examples that the shapes and operations are for.
    """

    inputs: dict[str, str]
    rows: tuple[Row, ...]
    parameters: int
    frozen: int
    flops: int
    statistics: int
    batch_size: int


def layer_table(loaded: Loaded, *, batch_size: int = 1, depth: int | None = None) -> LayerTable:
    """The layers of a recipe's network.

    Args:
      batch_size: examples in the batch that shapes and operations are told for.
      depth: how many levels of blocks are opened: 1 shows the network's own nodes alone, None all.

    Raises:
      ConfigError: the recipe does not fit together.
    """
    setup = Setup(loaded)
    checked = setup.check()
    experiment = setup.abstract
    network = experiment.network
    inputs = experiment.example_inputs(batch_size)
    found = network.check(inputs if network.wiring else next(iter(inputs.values())))
    state = checked.state
    repeats = {node.path: node.repeat for node in network.graph.walk()}
    arrays = named_leaves(state.params)
    still = tuple(node.path for node in network.graph.walk() if node.freeze)
    return LayerTable(
        inputs={name: shape_text(spec) for name, spec in inputs.items()},
        rows=tuple(_row(row, repeats, still) for row in found if depth is None or row.depth < depth),
        parameters=size(state.params),
        frozen=sum(size(arrays[path]) for path in frozen(network.graph, arrays)),
        flops=sum(row.flops for row in found if row.depth == 0),
        statistics=size(state.collections),
        batch_size=batch_size,
    )


def _row(row: Any, repeats: Mapping[str, int], still: tuple[str, ...]) -> Row:
    copies = repeats.get(row.path, 1)
    frozen = any(row.path == path or row.path.startswith(f"{path}.") for path in still)
    return Row(
        depth=row.depth,
        name=row.path.rpartition(".")[2],
        op=row.op + (f" x {copies}" if copies > 1 else "") + (", frozen" if frozen else ""),
        output=_output(row.output),
        parameters=row.parameters,
        flops=row.flops,
    )


def _output(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {shape_text(item)}" for name, item in value.items())
    return shape_text(value)
