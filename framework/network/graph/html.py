"""A graph as an HTML table, for notebooks."""

from __future__ import annotations

from html import escape

from framework.config.language.graph import Graph, Node
from framework.config.schema.layers.base import LayerSpec


def drawn(graph: Graph) -> str:
    """A table with one row for each node: its name, operation, arguments and what it reads."""
    body = "".join(_row(node) for node in graph.walk())
    outputs = ", ".join(f"{name} = {node}" for name, node in graph.outputs)
    return (
        "<table><thead><tr><th>node</th><th>operation</th><th>arguments</th><th>reads</th></tr></thead>"
        f"<tbody>{body}</tbody><caption>outputs: {escape(outputs)}</caption></table>"
    )


def _row(node: Node) -> str:
    repeat = f" × {node.repeat}" if node.repeat > 1 else ""
    reads = ", ".join(name for name in node.inputs if name is not None)
    cells = ("\u2003" * node.path.count(".") + node.name, node.op + repeat, _arguments(node), reads)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _arguments(node: Node) -> str:
    if not isinstance(node.body, LayerSpec):
        return ""
    fields = type(node.body).model_fields
    return ", ".join(
        f"{name}={getattr(node.body, name)}" for name in fields if getattr(node.body, name) != fields[name].default
    )
