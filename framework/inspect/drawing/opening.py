"""From a network's graph and its rows to what is shown of them at a chosen depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framework.config.language.combinators import MERGED
from framework.config.language.graph import Graph, Node
from framework.inspect.drawing.diagram import Item, Level, Line, Wire
from framework.inspect.drawing.kinds import kind_of
from framework.inspect.drawing.wording import operation, shape_words, short_count, shortened, tooltip, wrap_words
from framework.network.graph.table import NodeRow

_NAME_LONGEST = 26


@dataclass(frozen=True)
class Opening:
    """How a graph is opened.

    Attributes:
      rows: by the path under which the parameters are kept.
      depth: how many levels of nodes are shown; None: all.
      batch: whether shapes are told with the batch axis.
    """

    rows: Mapping[str, Sequence[NodeRow]]
    depth: int | None
    batch: bool

    def network(self, graph: Graph, inputs: Mapping[str, Any]) -> Level:
        """The whole network; its inputs and outputs are boxes.

        Args:
          inputs: name -> shape and dtype.
        """
        wiring = dict(graph.wiring)
        starts = {}
        for name in graph.inputs:
            shape = inputs[name]
            lines = [Line(shortened(name, _NAME_LONGEST), "name")]
            if name in wiring and wiring[name] != f"batch.{name}":
                lines.append(Line(wiring[name], "op"))
            lines.append(Line(shape_words(shape, batch=self.batch), "shape"))
            starts[name] = (tuple(lines), f"input {name}\n{shape.dtype}{list(shape.shape)}")
        stops = {name: ((Line(shortened(name, _NAME_LONGEST), "name"),), f"output {name}") for name, _ in graph.outputs}
        return self._level(graph, "", ("",), starts, stops)

    def _level(
        self,
        graph: Graph,
        path: str,
        prefixes: tuple[str, ...],
        starts: Mapping[str, tuple[tuple[Line, ...], str]],
        stops: Mapping[str, tuple[tuple[Line, ...], str]],
    ) -> Level:
        """A graph whose parameters are kept under each of `prefixes`."""

        def end(which: str, name: str, words: tuple[tuple[Line, ...], str]) -> Item:
            return Item(f"{which}:{name}", f"{path}:{which}:{name}", "end", *words, end=which)

        items = [end("input", name, starts.get(name, ((), name))) for name in graph.inputs]
        items += [self._item(node, prefixes) for node in graph.nodes]
        items += [end("output", name, stops.get(name, ((), name))) for name, _ in graph.outputs]
        wires = [
            self._wire(graph, name, node.name, slot)
            for node in graph.nodes
            for slot, name in enumerate(node.inputs)
            if name is not None
        ]
        for name, reference in graph.outputs:
            wires.append(self._wire(graph, reference, f"output:{name}", 0))
        if graph.wrap is not None and graph.wrap.kind == "phase":
            # The graph names one of the branches; which one it is depends on what the network is called for.
            have = {wire.source for wire in wires if wire.target.startswith("output:")}
            ends = [node.name for node in graph.nodes if node.name not in have]
            wires += [Wire(name, "", f"output:{graph.outputs[0][0]}", 0) for name in ends]
        return Level(tuple(items), tuple(wires))

    def _wire(self, graph: Graph, reference: str, target: str, slot: int) -> Wire:
        name, _, output = reference.partition(".")
        return Wire(f"input:{name}" if name in graph.inputs else name, output, target, slot)

    def _item(self, node: Node, prefixes: tuple[str, ...]) -> Item:
        places, rows = self._rows(node, prefixes)
        row = rows[-1] if rows else None
        merges = node.name == MERGED
        body = node.body
        members = body.wrap.count if isinstance(body, Graph) and body.wrap and body.wrap.kind == "members" else 1
        copies = node.repeat * members
        name = shortened(node.op if merges else node.name, _NAME_LONGEST) + (f" × {copies}" if copies > 1 else "")
        head = Line(name, "name")
        last = self._numbers(node, row, rows)
        if not isinstance(body, Graph):
            words = operation(node, row)
            lines = [head, *([Line(words, "op")] if words != head.text else []), *last]
            passes = node.op == "identity"
            return Item(node.name, node.path, kind_of(node, merges), tuple(lines), tooltip(node, rows), copies, passes)
        words = ", ".join(part for part in (node.op, wrap_words(body) if members == 1 else "") if part)
        depth = node.path.count(".") + 1
        if self.depth is not None and depth >= self.depth:
            count = sum(1 for inner in body.walk() if inner.name != MERGED)
            held = Line(shortened(f"{words} · {count} node{'s' if count != 1 else ''}", 36), "op")
            lines = (head, held, *last)
            return Item(node.name, node.path, "block", lines, tooltip(node, rows), copies, folded=True)
        inside = self._level(body, node.path, tuple(f"{place}." for place in places), {}, {})
        lines = (head, Line(words, "op"), *last)
        return Item(node.name, node.path, "block", lines, tooltip(node, rows), copies, inside=inside)

    def _rows(self, node: Node, prefixes: tuple[str, ...]) -> tuple[list[str], list[NodeRow]]:
        """Where a node's parameters are kept, and its rows there: one, or one for each copy that stands alone."""
        copies = [f"{node.name}_{index}" for index in range(node.repeat)]
        for names in ([node.name], copies):
            places = [prefix + name for prefix in prefixes for name in names if prefix + name in self.rows]
            if places:
                return places, [row for place in places for row in self.rows[place]]
        return [node.path], list(self.rows.get(node.path, ()))

    def _numbers(self, node: Node, row: NodeRow | None, rows: Sequence[NodeRow]) -> list[Line]:
        """Shape and parameters. A shape that the node leaves as it was is not told again."""
        lines = []
        if row is not None:
            parameters = sum(each.parameters for each in rows)
            same = len(row.inputs) == 1 and getattr(row.inputs[0], "shape", None) == getattr(row.output, "shape", ())
            words = (
                []
                if same and not parameters and not isinstance(node.body, Graph)
                else [shape_words(row.output, batch=self.batch)]
            )
            if parameters:
                words.append(short_count(parameters))
            if words:
                lines.append(Line(" · ".join(words), "shape"))
        if node.share:
            lines.append(Line(f"weights of {shortened(node.share, _NAME_LONGEST)}", "shape"))
        return lines
