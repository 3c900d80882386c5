"""`trainer.precision`: one number format for all layers that do not say theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from framework.config.language.graph import Graph
from framework.config.schema.layers.base import LayerSpec

DTYPE = "dtype"
"""The argument of a layer that says which number format it computes in."""


def computed_in(graph: Graph, precision: str) -> Graph:
    """The graph as if every layer that has a `dtype` and leaves it null had been given `precision` there.

    Layers without the argument compute in the format of what they are given, and so do expressions. A user's own
    module is left as it is: what its arguments mean is not known before it is imported.
    """
    nodes = []
    for node in graph.nodes:
        body: Any = node.body
        if isinstance(body, Graph):
            body = computed_in(body, precision)
        elif isinstance(body, LayerSpec) and DTYPE in type(body).model_fields and getattr(body, DTYPE) is None:
            body = body.model_copy(update={DTYPE: precision})
        nodes.append(replace(node, body=body))
    return replace(graph, nodes=tuple(nodes))
