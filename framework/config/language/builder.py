"""Builds the graph of a network, of the body of a block, and of a combinator, each from the level above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from framework.config.language import arguments, combinators
from framework.config.language.blocks import Block, within
from framework.config.language.calls import Inputs, array_expression, bound_inputs, target
from framework.config.language.ends import outputs_of, warn_unused
from framework.config.language.expression import Expression
from framework.config.language.graph import REGULARIZER, Graph, Node, Target, Wrap
from framework.config.language.nodes import COMBINATORS, RawNode, read_node
from framework.config.language.order import placed
from framework.config.language.report import Report
from framework.config.language.scope import Scope, bind
from framework.config.language.sharing import adopt, check_same
from framework.config.language.wiring import Siblings, Source, sources
from framework.config.schema.layers import LAYERS
from framework.config.schema.layers.base import LayerSpec

MAX_NODES = 20_000
"""A bound against blocks that use blocks that use blocks: a few lines of YAML must not become a billion nodes."""

RETURN_STATE = "return_state"
"""The argument by which a recurrent layer gives its state too, under names that other nodes may read."""

Body = LayerSpec | Expression | Target | Graph
Traced = tuple[arguments.TracedField, ...]


@dataclass(frozen=True)
class Place:
    """Where a graph stands.

    Attributes:
      key: the config key of its layers.
      path: the names from the network down to it, dotted; empty for the network.
      outputs_key: the config key of its outputs.
      stack: the blocks that it is in the body of, outermost first.
      branches: its nodes do not see each other.
    """

    key: str
    path: str = ""
    outputs_key: str = ""
    stack: tuple[str, ...] = ()
    branches: bool = False

    def path_of(self, name: str) -> str:
        """The path of a node of this graph."""
        return f"{self.path}.{name}" if self.path else name


def _first_layer(place: Place) -> str:
    """A layer to begin with, as an override."""
    if place.key.endswith(".bidirectional.layers"):
        return "rnn={gru: {features: 64}}"
    return "fc={dense: {features: 64}}" if place.path else "logits={dense: {features: 10}}"


@dataclass
class Builder:
    """One elaboration.

    Attributes:
      key: the config key of the network section.
      blocks: the declared blocks that can be read.
      ops: every operation: built-in ones with their schema, others with None.
      barred: blocks that cannot be used; why is on the report.
    """

    key: str
    report: Report
    blocks: Mapping[str, Block]
    ops: Mapping[str, type[LayerSpec] | None]
    barred: set[str]
    used: set[str] = field(default_factory=set)
    structural: set[str] = field(default_factory=set)
    count: int = 0

    def graph(
        self, layers: Any, place: Place, inputs: tuple[str, ...], outputs: Mapping[str, str], scope: Scope
    ) -> Graph:
        """A graph out of declared layers. With mistakes on the report it may be incomplete."""
        raw = self._read(layers, place, inputs, scope)
        several = {node.name: names for node in raw if len(names := self._output_names(node, scope)) > 1}
        free = frozenset(node.name for node in raw if node.op == "module")
        numbered = frozenset(node.name for node in raw if node.op in LAYERS and LAYERS[node.op].several)
        order = tuple(node.name for node in raw)
        siblings = Siblings(place.key, inputs, order, several, free, place.branches, numbered)
        found = sources(raw, siblings, self.report)
        built = [self._node(node, found[node.name], place, scope) for node in raw]
        nodes = {node.name: node for node in built if node is not None}
        check_same(raw, nodes, self.report)
        ends = outputs_of(raw, siblings, outputs, place.outputs_key, self.report)
        if not place.branches:
            warn_unused(raw, found, ends, siblings, self.report)
        return Graph(place.key, inputs, tuple(nodes.values()), ends)

    def _read(self, layers: Any, place: Place, inputs: tuple[str, ...], scope: Scope) -> list[RawNode]:
        if not isinstance(layers, Mapping) or not layers:
            empty = not layers and not isinstance(layers, int | float)
            self.report.problem(
                place.key,
                "there are no layers" if empty else f"found {layers!r}",
                "an ordered mapping: node name -> node",
                f"+{place.key}.{_first_layer(place)}" if empty else None,
            )
            return []
        self.count += len(layers)
        if self.count > MAX_NODES:
            self.report.problem(self.key, f"more than {MAX_NODES} nodes", "a smaller network, or `repeat`")
            self.report.raise_if_any()
        raw = [
            read_node(str(name), item, f"{place.key}.{name}", self.ops, scope, self.report)
            for name, item in layers.items()
        ]
        self.used |= within((node.left_out for node in raw), self.blocks)
        self._clashes(raw, inputs)
        ordered = placed(raw, inputs, self.report)
        adopt(ordered, self.report)
        return ordered

    def _clashes(self, raw: Sequence[RawNode], inputs: tuple[str, ...]) -> None:
        """Names that mean two things: of a node and an input, of a node and a copy of a repeated one."""
        copies = {node.name: node for node in raw if node.repeat > 1}
        for node in raw:
            if node.name in inputs and node.name != "input":
                self.report.problem(node.key, f"'{node.name}' is the name of an input too", "a name of its own")
            base, _, index = node.name.rpartition("_")
            if base in copies and index.isdigit() and int(index) < copies[base].repeat:
                self.report.problem(
                    node.key, f"'{node.name}' is the name of copy {index} of '{base}' too", "a name of its own"
                )

    def _output_names(self, node: RawNode, scope: Scope) -> tuple[str, ...]:
        block = self.blocks.get(node.op)
        if block is not None:
            return tuple(block.outputs)
        if node.op not in LAYERS or not isinstance(node.arguments, Mapping) or RETURN_STATE not in node.arguments:
            return ()
        # Mistakes in the argument are told where it is read for good.
        asked = scope.resolve(node.arguments[RETURN_STATE], f"{node.op_key}.{RETURN_STATE}", Report())
        return LAYERS[node.op].output_names({RETURN_STATE: asked.value})

    def _node(self, node: RawNode, source: Source, place: Place, scope: Scope) -> Node | None:
        if node.broken:
            return None
        path = place.path_of(node.name)
        made = self._made(node, source, path, place, scope)
        if made is None or source.broken:
            return None
        body, traced, inputs = made
        many = isinstance(body, Graph) and len(body.outputs) > 1
        if isinstance(body, LayerSpec):
            many = body.several or bool(body.output_names(body.arguments()))
        if node.repeat > 1 and many:
            self.report.problem(
                f"{node.key}.repeat", f"'{node.op}' gives several outputs, so copies cannot follow each other", "1"
            )
        own = f"{self.key}.layers.{path}.{REGULARIZER}"
        traced += tuple(
            (f"{REGULARIZER}.{kind}", key or f"{own}.{kind}", weight) for kind, key, weight in node.penalties
        )
        return Node(
            node.name, path, node.key, node.op, body, inputs, traced, node.repeat, node.remat, node.share, node.freeze
        )

    def _made(
        self, node: RawNode, source: Source, path: str, place: Place, scope: Scope
    ) -> tuple[Body, Traced, Inputs] | None:
        """The body of a node, its traced arguments and its inputs."""
        if node.op == "expr":
            made = array_expression(node, source, scope, self.report)
            return None if made is None else (made[0], (), made[1])
        if node.op == "module":
            body = target(node, source, scope, self.report)
            return None if body is None else (body, (), tuple(source.references))
        if node.op in COMBINATORS:
            return self._combinator(node, source, path, place, scope)
        raw = self._mapping(node)
        if raw is None:
            return None
        slots = self.blocks[node.op].inputs if node.op in self.blocks else LAYERS[node.op].inputs
        inputs = None if source.broken else bound_inputs(slots, source, node, self.report)
        if node.op in self.blocks:
            graph = self._block(node, raw, path, place, scope)
            return None if graph is None or inputs is None else (graph, (), inputs)
        if slots is None and source.implied:
            self.report.warn(
                node.key,
                f"'{node.op}' combines several inputs, but reads only the node before; name them: "
                f"+{node.key}.from=[{source.references[0] if source.references else '...'}, ...]",
            )
        made = arguments.layer(LAYERS[node.op], raw, node.op_key, f"{self.key}.layers.{path}", scope, self.report)
        return None if made is None or inputs is None else (*made, inputs)

    def _mapping(self, node: RawNode) -> Mapping[str, Any] | None:
        if isinstance(node.arguments, Mapping):
            return {str(name): item for name, item in node.arguments.items()}
        schema = LAYERS.get(node.op)
        names = list(schema.model_fields) if schema is not None else list(self.blocks[node.op].args)
        first = f"{{{names[0]}: {node.arguments}}}" if names else "{}"
        self.report.problem(node.op_key, f"found {node.arguments!r}", "arguments by name", f"{node.op_key}={first}")
        return None

    def _block(self, node: RawNode, raw: Mapping[str, Any], path: str, place: Place, scope: Scope) -> Graph | None:
        block = self.blocks[node.op]
        self.used.add(node.op)
        if node.op in place.stack and node.op not in self.barred:
            circle = " -> ".join([*place.stack[place.stack.index(node.op) :], node.op])
            self.report.problem(node.key, f"block '{node.op}' uses itself: {circle}", "blocks that end")
        if node.op in self.barred or node.op in place.stack:
            return None
        given = {name: scope.resolve(item, f"{node.op_key}.{name}", self.report) for name, item in raw.items()}
        inner = bind(
            Scope(f"block '{node.op}'", self.structural, used_by=node.key),
            block.args, f"{block.key}.args", given, node.op_key, self.report,
        )  # fmt: skip
        where = Place(f"{block.key}.layers", path, f"{block.key}.outputs", (*place.stack, node.op))
        return self.graph(block.layers, where, block.inputs, block.outputs, inner)

    def _combinator(
        self, node: RawNode, source: Source, path: str, place: Place, scope: Scope
    ) -> tuple[Body, Traced, Inputs] | None:
        if not combinators.check_words(node, self.report):
            return None
        inputs = tuple(source.slots) if source.slots else ("input",)
        if source.slots is None and len(source.references) > 1:
            self.report.problem(
                f"{node.key}.from",
                f"'{node.op}' is given {len(source.references)} inputs without names",
                "one, or a mapping: name inside -> node",
            )
            return None
        if node.op == "cond":
            return self._cond(node, path, place, inputs, scope), (), tuple(source.references)
        layers = node.arguments.get("layers")
        where = Place(f"{node.op_key}.layers", path, "", place.stack, node.op == "parallel")
        if node.op == "bidirectional":
            body = self._bidirectional(node, where, inputs, scope)
            return None if body is None else (body, (), tuple(source.references))
        body = self.graph(layers, where, inputs, {}, scope)
        if node.op == "residual":
            body = self._residual(node, body, where, inputs, scope)
        elif node.op == "parallel" and body.nodes:
            merge = combinators.merge_of(node, [item.name for item in body.nodes], scope, self.report)
            if merge is None:
                return None
            body = combinators.merged(body, merge, [item.name for item in body.nodes], node.op_key, path)
        elif node.op == "time_distributed":
            body = replace(body, wrap=Wrap("steps"))
        elif node.op == "ensemble":
            members = combinators.members_of(node, scope, self.report)
            if members is None:
                return None
            body = replace(body, wrap=members)
        return body, (), tuple(source.references)

    def _bidirectional(self, node: RawNode, where: Place, inputs: tuple[str, ...], scope: Scope) -> Graph | None:
        """The layers twice, with weights of their own; the second copy is given the sequence from its end."""
        merge = combinators.merge_of(node, list(combinators.DIRECTIONS), scope, self.report)
        nodes = []
        for name, wrap in zip(combinators.DIRECTIONS, (None, Wrap("backwards")), strict=True):
            inside = replace(where, path=f"{where.path}.{name}")
            body = replace(self.graph(node.arguments.get("layers"), inside, inputs, {}, scope), wrap=wrap)
            nodes.append(Node(name, inside.path, node.key, node.op, body, inputs))
        if merge is None:
            return None
        both = Graph(where.key, inputs, tuple(nodes), ())
        return combinators.merged(both, merge, list(combinators.DIRECTIONS), node.op_key, where.path)

    def _cond(self, node: RawNode, path: str, place: Place, inputs: tuple[str, ...], scope: Scope) -> Graph:
        """A node for training and one for everything else; what is left out passes the input on."""
        where = Place(node.op_key, path, "", place.stack, branches=True)
        if not node.arguments:
            self.report.problem(
                node.op_key, "there are no branches", "train, eval or both", f"+{node.op_key}.train=..."
            )
        layers = {name: node.arguments.get(name, "identity") for name in combinators.PHASES}
        return replace(self.graph(layers, where, inputs, {}, scope), wrap=Wrap("phase"))

    def _residual(self, node: RawNode, body: Graph, where: Place, inputs: tuple[str, ...], scope: Scope) -> Graph:
        """f(x) + x: the input, or what the shortcut makes of it, is added to what the layers give."""
        if not body.outputs:
            return body
        skip = inputs[0]
        raw = node.arguments.get(combinators.SHORTCUT)
        if raw is not None:
            beside = Place(node.op_key, where.path, "", where.stack, branches=True)
            shortcut = self.graph({combinators.SHORTCUT: raw}, beside, inputs, {}, scope)
            if combinators.SHORTCUT in {item.name for item in body.nodes}:
                self.report.problem(
                    f"{where.key}.{combinators.SHORTCUT}", "a residual's own shortcut has this name", "another name"
                )
            body = replace(body, nodes=(*body.nodes, *shortcut.nodes))
            skip = combinators.SHORTCUT
        ends = [body.outputs[0][1], skip]
        return combinators.merged(body, combinators.Merge("add", {}), ends, node.op_key, where.path)

    def settled(self, graph: Graph) -> Graph:
        """The graph with its traced keys settled: what also decides structure cannot be traced under its own key."""
        nodes = []
        for node in graph.nodes:
            own = f"{self.key}.layers.{node.path}"
            traced = tuple(
                (name, f"{own}.{name}" if key in self.structural else key, value) for name, key, value in node.traced
            )
            body = self.settled(node.body) if isinstance(node.body, Graph) else node.body
            nodes.append(replace(node, traced=traced, body=body))
        return replace(graph, nodes=tuple(nodes))
