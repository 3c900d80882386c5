"""A typed graph as Flax modules: one class for the network and for each of its blocks, with the recipe's names."""

from __future__ import annotations

import ast
import dataclasses
import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.config.language.expression import CONSTANTS, LAX_FUNCTIONS, NN_FUNCTIONS, Expression
from framework.config.language.graph import Graph, Node, Target
from framework.config.schema.layers.base import LayerSpec
from framework.core.errors import Problem
from framework.inspect.ejecting.adapting import initial, literal
from framework.inspect.ejecting.closure import Closure, NotCarriedError
from framework.network.layers import module_for

_WIDTH = 120
_RESERVED = {"self", "context", "jax", "jnp", "nn", "lax", "np", "optax", "x", "repeated", "rematerialised"}


@dataclass
class Classes:
    """The classes of a network.

    Attributes:
      closure: where the layers that they use are taken in.
      problems: nodes that a script cannot have.
      texts: the source of each class, those that are used by others first.
      helpers: names of the functions of `HELPERS` that they use.
    """

    closure: Closure
    problems: list[Problem] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def network(self, graph: Graph, params: Mapping[str, Any], name: str) -> str:
        """The class of the whole network, which gives its outputs by name."""
        return self.class_of(graph, params, name, "The network.", whole=True)

    def class_of(self, graph: Graph, params: Mapping[str, Any], wanted: str, about: str, *, whole: bool) -> str:
        if graph.wrap is not None:
            self.refuse(graph.key, f"'{graph.wrap.kind}' is a way to call layers that a script has not")
        body = _Body(self, graph, params).lines(whole)
        key = wanted, "\n".join(body)
        if key in self._known:
            return self._known[key]
        name, count = wanted, 2
        while name in self.closure.taken:
            name, count = f"{wanted}{count}", count + 1
        self.closure.taken.add(name)
        self._known[key] = name
        inputs = [variable(one) for one in graph.inputs]
        signature = ", ".join(["self", *(f"{one}: Any" for one in inputs), "*", "context: Context"])
        gives = "dict[str, Any]" if whole or len(graph.outputs) > 1 else "Any"
        head = f"    def __call__({signature}) -> {gives}:"
        self.texts.append(
            "\n".join([f"class {name}(nn.Module):", f'    """{about}"""', "", "    @nn.compact", head, *body])
        )
        return name

    def refuse(self, key: str, found: str) -> None:
        told = Problem(key, f"{found}", "a node that can be written out", fix="take it out, or keep the recipe")
        if told not in self.problems:
            self.problems.append(told)


@dataclass
class _Body:
    """The statements of one class."""

    classes: Classes
    graph: Graph
    params: Mapping[str, Any]

    def lines(self, whole: bool) -> list[str]:
        lent = {node.share for node in self.graph.nodes if node.share}
        found: list[str] = []
        for node in self.graph.nodes:
            found += self._node(node, node.name in lent)
        outputs = {name: reference(given) for name, given in self.graph.outputs}
        if whole or len(outputs) > 1:
            inside = ", ".join(f'"{name}": {given}' for name, given in outputs.items())
            return [*found, f"        return {{{inside}}}"]
        return [*found, f"        return {next(iter(outputs.values()))}"]

    def _node(self, node: Node, lends: bool) -> list[str]:
        target, inputs = variable(node.name), [reference(name) for name in node.inputs]
        for word, on in (("freeze", node.freeze), ("kernel_regularizer", _penalised(node))):
            if on:
                self.classes.refuse(node.key, f"'{word}' of the node '{node.name}' has no place in a script")
        if isinstance(node.body, Expression):
            return _wrapped(f"        {target} = ", self._expression(node.body, node))
        if isinstance(node.body, Target):
            self.classes.refuse(node.key, f"a module of yours, {node.body.title}, is not taken into a script")
            return []
        borrowed = node.body.borrows if isinstance(node.body, LayerSpec) else ()
        if borrowed:
            owner = f"{variable(node.share or '')}_module"
            inputs += [f'{owner}.variables["params"]["{name}"]' for name in borrowed]
        owner = node.name if borrowed or not node.share else node.share
        arguments = ", ".join([*inputs, "context=context"])
        if node.share and not borrowed:
            return [f"        {target} = {variable(owner)}_module({arguments})"]
        if node.repeat > 1 and f"{node.name}_0" in self.params:
            return self._unrolled(node, target, inputs)
        inside = self.params.get(node.name, {})
        if node.repeat > 1 and not inside:
            self.classes.refuse(node.key, f"'repeat' of '{node.op}', which has no weights, has no place in a script")
        made = self._made(node, node.name, inside)
        if node.repeat > 1:
            self.classes.helpers.add("repeated")
            after = "".join(f", {one}" for one in inputs)
            remat = ", remat=True" if node.remat else ""
            return [
                *_wrapped(f"        {target}_module = ", made),
                f"        {target} = repeated({target}_module, {node.repeat}, context{after}{remat})",
            ]
        if node.remat:
            self.classes.helpers.add("rematerialised")
            after = "".join(f", {one}" for one in inputs)
            return [
                *_wrapped(f"        {target}_module = ", made),
                f"        {target} = rematerialised({target}_module, context{after})",
            ]
        if lends:
            return [
                *_wrapped(f"        {target}_module = ", made),
                f"        {target} = {target}_module({arguments})",
            ]
        return _wrapped(f"        {target} = ", made, f"({arguments})")

    def _unrolled(self, node: Node, target: str, inputs: list[str]) -> list[str]:
        lines, value = [], inputs[0]
        if node.remat:
            self.classes.refuse(node.key, "'remat' of copies that differ in shape has no place in a script")
        for copy in range(node.repeat):
            name = f"{node.name}_{copy}"
            arguments = ", ".join([value, *inputs[1:], "context=context"])
            lines += _wrapped(
                f"        {target} = ", self._made(node, name, self.params.get(name, {})), f"({arguments})"
            )
            value = target
        return lines

    def _made(self, node: Node, name: str, inside: Mapping[str, Any]) -> str:
        """The module of a node, as it is made: its class, its arguments, its name."""
        if isinstance(node.body, Graph):
            title = "".join(part[:1].upper() + part[1:] for part in node.op.split("_"))
            # The weights of copies that are one scan have one more axis; their names are those of one copy.
            made = self.classes.class_of(node.body, inside, title, f"The block `{node.op}`.", whole=False)
            return f'{made}(name="{name}")'
        assert isinstance(node.body, LayerSpec)
        kind = module_for(node.op)
        try:
            made = self.classes.closure.add(kind.__module__, kind.__name__)
        except NotCarriedError:
            self.classes.refuse(node.key, f"'{node.op}' is made of more of this package than a script carries")
            return "None()"
        given = {name: initial(value) for name, value in node.body.arguments().items()}
        usual = {one.name: one.default for one in dataclasses.fields(kind)}
        words = {word: literal(value) for word, value in given.items() if value != usual.get(word, dataclasses.MISSING)}
        for word, key, value in node.traced:
            if word in given:
                traced = self.classes.closure.add("framework.network.context", "TracedValue")
                words[word] = f"{traced}({literal(key)}, {value!r})"
        words["name"] = literal(name)
        return f"{made}({', '.join(f'{word}={value}' for word, value in words.items())})"

    def _expression(self, body: Expression, node: Node) -> str:
        values = dict(zip(body.names, (reference(name) for name in node.inputs), strict=True))
        if body.parameters:
            owner = f"{variable(node.share or '')}_module"
            values |= {name: f'{owner}.variables["params"]["{name}"]' for name in body.parameters}
        values |= {name: literal(value) for name, value in body.constants.as_dict().items()}
        return expression(body.text, values)


def expression(text: str, values: Mapping[str, str]) -> str:
    """An array expression as Python on `jax.numpy`.

    Args:
      values: what stands for each of its names.
    """

    class Written(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            return node

        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id in values:
                return ast.parse(values[node.id], mode="eval").body
            if node.id in CONSTANTS:
                return ast.Constant(CONSTANTS[node.id])
            home = "jax.nn" if node.id in NN_FUNCTIONS else "lax" if node.id in LAX_FUNCTIONS else "jnp"
            return ast.parse(f"{home}.{node.id}", mode="eval").body

    return ast.unparse(Written().visit(ast.parse(text, mode="eval")))


def variable(name: str) -> str:
    """The Python variable that holds what a node gives."""
    if name == "input":
        return "x"
    return f"{name}_" if keyword.iskeyword(name) or name in _RESERVED or name.endswith("_module") else name


def reference(name: str | None) -> str:
    """What a node reads, as Python: `conv`, `parts[0]`, `lstm["hidden"]`."""
    if name is None:
        return "None"
    node, _, output = name.partition(".")
    if not output:
        return variable(node)
    return f"{variable(node)}[{output}]" if output.isdigit() else f'{variable(node)}["{output}"]'


def _penalised(node: Node) -> bool:
    return any(name.startswith("kernel_regularizer") for name, _, _ in node.traced)


def _wrapped(start: str, made: str, call: str = "") -> list[str]:
    """A statement on one line, or, where that is too long, with the arguments on lines of their own."""
    line = f"{start}{made}{call}"
    opening = made.find("(")
    if len(line) <= _WIDTH or opening < 0:
        return [line]
    tree = ast.parse(made, mode="eval").body
    if not isinstance(tree, ast.Call) or tree.args:
        return [f"{start}({made}){call}"]
    parts = [f"{one.arg}={ast.get_source_segment(made, one.value)}" for one in tree.keywords]
    return [f"{start}{made[: opening + 1]}", *(f"            {part}," for part in parts), f"        ){call}"]


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
