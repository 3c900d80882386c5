"""A typed graph as Flax modules: one class for the network and for each of its blocks, with the recipe's names."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from framework.config.language.combinators import DIRECTIONS
from framework.config.language.expression import Expression
from framework.config.language.graph import Graph, Node, Target
from framework.config.schema.layers.base import LayerSpec
from framework.core.errors import Problem
from framework.inspect.ejecting import combined
from framework.inspect.ejecting.adapting import initial, literal
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.definitions import NotCarriedError
from framework.inspect.ejecting.merging import Block, Merging, Words
from framework.inspect.ejecting.trace import Trace, Where
from framework.inspect.ejecting.writing import expression, statement, subscripted, told, variable
from framework.network.layers import module_for

_PROBED = ("mean", "rms", "zeros")
"""What a `probe` tells of what passes it, behind its label."""


@dataclass
class Classes:
    """The classes of a network.

    Attributes:
      closure: where the layers that they use are taken in.
      trace: what is known of the variables and shapes.
      read: key paths that losses read, such as `costs.kl` and `intermediates.stage1`.
      problems: nodes that a script cannot have.
      blocks: the class of each block as it is used, those that others use first.
      helpers: names of the functions of `HELPERS` that they use.
      usual: class of a layer -> the arguments that it has by itself.
    """

    closure: Closure
    trace: Trace
    read: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)
    usual: dict[str, Words] = field(default_factory=dict)
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def network(self, graph: Graph) -> None:
        """The class `Network` of the whole network, which gives its outputs by name."""
        body = _Body(self, graph, ()).lines(None, whole=True)
        text = _class("Network", "The network.", graph, body, "dict[str, Any]")
        self.blocks.append(Block("Network", "Network", text))

    @property
    def texts(self) -> list[str]:
        """The source of the classes."""
        return Merging(self.usual).merged(self.blocks)

    def block(self, node: Node, graph: Graph, where: Where) -> str:
        """The class of a node that holds others."""
        body = _Body(self, graph, where).lines(node, whole=False)
        wanted = "".join(part[:1].upper() + part[1:] for part in node.op.split("_"))
        if node.op == "bidirectional" and node.name in DIRECTIONS:
            wanted = node.name.capitalize()
        key = wanted, "\n".join(body)
        if key in self._known:
            return self._known[key]
        name, count = wanted, 2
        while name in self.closure.taken:
            name, count = f"{wanted}{count}", count + 1
        self.closure.taken.add(name)
        self._known[key] = name
        gives = "dict[str, Any]" if len(graph.outputs) > 1 else "Any"
        self.blocks.append(Block(name, wanted, _class(name, f"The block `{node.op}`.", graph, body, gives)))
        return name

    def refuse(self, node: Node, found: str) -> None:
        """Note that a node cannot be written out."""
        told = Problem(node.key, found, "layers and blocks of this package", fix=f"~{node.key}")
        if told not in self.problems:
            self.problems.append(told)


def _class(name: str, about: str, graph: Graph, body: list[str], gives: str) -> str:
    signature = ", ".join(["self", *(f"{variable(one)}: Any" for one in graph.inputs), "*", "context: Context"])
    head = f"    def __call__({signature}) -> {gives}:"
    return "\n".join([f"class {name}(nn.Module):", f'    """{about}"""', "", "    @nn.compact", head, *body])


@dataclass
class _Body:
    """The statements of one class.

    Attributes:
      where: the names under which its variables are kept.
      same: node that gives what it takes -> what it takes.
    """

    classes: Classes
    graph: Graph
    where: Where
    same: dict[str, str] = field(default_factory=dict)

    def lines(self, node: Node | None, *, whole: bool) -> list[str]:
        """The statements of the method; `node` is what holds the graph."""
        lent = {other.share for other in self.graph.nodes if other.share}
        written = {other.name: self._node(other, other.name in lent) for other in self.graph.nodes}
        frozen = any(other.freeze and self._has_statistics(other) for other in self.graph.nodes)
        start = ["        frozen = replace(context, frozen=True)"] if frozen else []
        body = [*start, *(line for lines in written.values() for line in lines)]
        outputs = {name: self._read(given) for name, given in self.graph.outputs}
        wrap = self.graph.wrap
        if wrap is None or node is None:
            return [*body, combined.returned(outputs, whole=whole)]
        if wrap.kind == "phase":
            return [*start, *combined.phases(written, {name: self._read(name) for name in written})]
        inputs = [variable(one) for one in self.graph.inputs]
        if wrap.kind == "members":
            return combined.members(wrap, inputs, body, outputs)
        seen = self.classes.trace.visits[node.path, self.where].output
        shapes = seen if len(outputs) > 1 else {next(iter(outputs)): seen}
        if wrap.kind == "steps":
            self.classes.closure.use("replace", "dataclasses")
            return combined.steps(inputs, body, outputs, shapes)
        return combined.backwards(inputs, body, outputs, shapes)

    def _node(self, node: Node, lends: bool) -> list[str]:
        if self._passes(node) and not lends:
            self.same[node.name] = self._read(node.inputs[0])
            lines = []
        elif isinstance(node.body, Expression):
            lines = statement(f"        {variable(node.name)} = ", self._expression(node.body, node))
        elif isinstance(node.body, Target):
            self.classes.refuse(node, f"{node.body.title} is code of yours, which a script does not copy")
            return []
        else:
            lines = self._module(node, lends)
        if f"intermediates.{node.path}" in self.classes.read:
            value = self._read(node.name)
            lines.append(f'        self.sow("intermediates", "{told(node.name)}", {value})')
        return lines

    def _passes(self, node: Node) -> bool:
        """Whether it is a probe whose statistics no loss reads."""
        label = getattr(node.body, "label", None)
        told = {f"costs.{label}_{name}" for name in _PROBED}
        return node.op == "probe" and node.share is None and not told & self.classes.read

    def _module(self, node: Node, lends: bool) -> list[str]:
        """The module of a node, or those of its copies, and their calls."""
        target, inputs = variable(node.name), [self._read(name) for name in node.inputs]
        borrowed = node.body.borrows if isinstance(node.body, LayerSpec) else ()
        owner = node.name if borrowed or not node.share else node.share
        if borrowed:
            lender = f"{variable(node.share or '')}_module"
            inputs += [f'{lender}.variables["params"]["{name}"]' for name in borrowed]
        context = "context"
        if node.freeze and self._has_statistics(node):
            self.classes.closure.use("replace", "dataclasses")
            context = "frozen"
        visits, copies = self.classes.trace.visits, [owner]
        unrolled = node.repeat > 1 and (node.path, (*self.where, f"{owner}_0")) in visits
        if unrolled:
            copies = [f"{owner}_{copy}" for copy in range(node.repeat)]
        scanned = node.repeat > 1 and not unrolled
        lines, value = [], inputs[:1]
        for name in copies:
            held = f"{variable(name)}_module"
            made = None if owner == node.share else self._made(node, name)
            if made is not None and (lends or scanned or node.remat):
                lines += statement(f"        {held} = ", made)
                made = None
            given = [*value, *inputs[1:]]
            if scanned:
                self.classes.helpers.add("repeated")
                handed_on = visits[node.path, (*self.where, owner)].inputs[0].dtype
                if handed_on != "float32":  # what the scan takes is what it gives
                    given[0] = f"{given[0]}.astype({literal(str(handed_on))})"
                words = ", ".join([held, str(node.repeat), context, *given, *(["remat=True"] if node.remat else [])])
                lines.append(f"        {target} = repeated({words})")
            elif node.remat:
                self.classes.helpers.add("rematerialised")
                lines.append(f"        {target} = rematerialised({', '.join([held, context, *given])})")
            else:
                call = f"({', '.join([*given, f'context={context}'])})"
                lines += statement(f"        {target} = ", held if made is None else made, call)
            value = [target] if inputs else []
        return lines

    def _has_statistics(self, node: Node) -> bool:
        trace = self.classes.trace
        places = [where for path, where in trace.visits if path == node.path and where[:-1] == self.where]
        return any(trace.keeps_statistics(where) for where in places)

    def _made(self, node: Node, name: str) -> str:
        """The module of a node, as it is made: its class, its arguments, its name."""
        if isinstance(node.body, Graph):
            return f'{self.classes.block(node, node.body, (*self.where, name))}(name="{name}")'
        assert isinstance(node.body, LayerSpec)
        kind = module_for(node.op)
        try:
            made = self.classes.closure.add(kind.__module__, kind.__name__)
        except NotCarriedError:
            self.classes.refuse(node, f"'{node.op}' is made of more of this package than a script carries")
            return "None()"
        given = {word: initial(value) for word, value in node.body.arguments().items()}
        usual = {one.name: one.default for one in dataclasses.fields(kind)}
        self.classes.usual[made] = {
            word: literal(value) for word, value in usual.items() if value is not dataclasses.MISSING
        }
        words = {word: literal(value) for word, value in given.items() if value != usual.get(word, dataclasses.MISSING)}
        for word, key, value in node.traced:
            if word in given:
                traced = self.classes.closure.add("framework.network.context", "TracedValue")
                words[word] = f"{traced}({literal(key)}, {value!r})"
        words["name"] = literal(name)
        return f"{made}({', '.join(f'{word}={value}' for word, value in words.items())})"

    def _expression(self, body: Expression, node: Node) -> str:
        values = dict(zip(body.names, (self._read(name) for name in node.inputs), strict=True))
        if body.parameters:
            owner = f"{variable(node.share or '')}_module"
            values |= {name: f'{owner}.variables["params"]["{name}"]' for name in body.parameters}
        values |= {name: literal(value) for name, value in body.constants.as_dict().items()}
        return expression(body.text, values)

    def _read(self, name: str | None) -> str:
        """What a node reads, as Python: `conv`, `parts[0]`, `lstm["hidden"]`."""
        if name is None:
            return "None"
        node, *parts = name.split(".")
        return subscripted(self.same.get(node, variable(node)), parts)


HELPERS: dict[str, str] = {
    "repeated": '''def repeated(module: Any, copies: int, context: Context, *inputs: Any, remat: bool = False) -> Any:
    """Copies of a module behind each other, whose weights are stacked on a first axis, as one scan.

    The first input is handed from copy to copy; the others are the same for all.
    """

    def body(module: Any, *values: Any) -> Any:
        return module(*values, context=context)

    applied = nn.remat(body, prevent_cse=False) if remat else body

    def step(module: Any, carry: Any, *rest: Any) -> tuple[Any, None]:
        return applied(module, carry, *rest), None

    unroll = copies if not remat and copies <= 8 and jax.default_backend() == "cpu" else 1
    stacked = nn.scan(
        step,
        variable_axes={True: 0},
        split_rngs={True: True},
        in_axes=tuple(nn.broadcast for _ in inputs[1:]),
        length=copies,
        unroll=unroll,
    )
    value, _ = stacked(module, *inputs)
    return value''',
    "rematerialised": '''def rematerialised(module: Any, context: Context, *inputs: Any) -> Any:
    """A module whose inside is computed again in the backward pass instead of being kept."""
    return nn.remat(lambda module, *values: module(*values, context=context))(module, *inputs)''',
}
"""Functions that generated classes may call."""
