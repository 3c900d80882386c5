"""What a network's trace tells its script: the variables that each node keeps, and the shape of what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from framework.config.language.graph import Graph
from framework.inspect.ejecting.writing import told
from framework.network.context import Context
from framework.network.graph.call import Call, Visit
from framework.network.graph.interpreter import GraphModule

Where = tuple[str, ...]


@dataclass(frozen=True)
class Trace:
    """One abstract call of a network that makes its variables.

    Attributes:
      variables: shapes and dtypes, collection by collection.
      visits: (path of a node, names that its variables are kept under) -> what was seen there.
    """

    variables: Mapping[str, Any]
    visits: Mapping[tuple[str, Where], Visit]

    @classmethod
    def of(cls, graph: Graph, inputs: list[Any]) -> Trace:
        """The trace of a graph.

        Args:
          inputs: shape and dtype of each, the batch axis included.
        """
        seen: list[Visit | None] = []
        call = Call(Context(), visits=seen, givers=graph.inputs)

        def start() -> Any:
            key = jax.random.key(0)
            zeros = [jnp.zeros(given.shape, given.dtype) for given in inputs]
            return GraphModule(graph).init({"params": key, "dropout": key}, *zeros, call=call)

        variables = jax.eval_shape(start)
        return cls(variables, {(visit.node.path, visit.where): visit for visit in seen if visit is not None})

    @property
    def collections(self) -> list[str]:
        """The names of what is kept besides parameters."""
        return sorted(name for name, held in self.variables.items() if name != "params" and held)

    def keeps_statistics(self, where: Where) -> bool:
        """Whether something besides parameters is kept under some names."""
        return any(_below(self.variables[name], where) for name in self.collections)

    def place(self, path: str) -> Where:
        """The names, from the network down, under which a script tells what the node of a path gives."""
        *_, where = (where for own, where in self.visits if own == path)
        return (*where[:-1], told(path.rpartition(".")[2]))


def _below(tree: Any, where: Where) -> Any:
    for name in where:
        if not isinstance(tree, Mapping) or name not in tree:
            return {}
        tree = tree[name]
    return tree
