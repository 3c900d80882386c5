"""One Flax module that walks a typed graph. Its submodules are named like the nodes, so parameter paths read
`params/stage1/conv1/kernel`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.config.language.combinators import MERGED
from framework.config.language.expression import Expression
from framework.config.language.graph import Graph, Node
from framework.config.schema.layers.base import LayerSpec
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.network.abstract import starts_skipped
from framework.network.context import Context
from framework.network.graph.bodies import leaf_module
from framework.network.graph.call import Call, Visit
from framework.network.graph.entered import entered
from framework.network.graph.failures import blamed, described, require_kept
from framework.network.graph.repeat import scanned

PROBE = "@"
"""Begins the names of probed outputs among the intermediates; the node's path follows."""


class GraphModule(nn.Module):
    """The body of a network, a block or a combinator, as `(*inputs, call) -> {output name: array}`."""

    graph: Graph

    @nn.compact
    def __call__(self, *inputs: Any, call: Call, graph: Graph | None = None) -> dict[str, Any]:
        """Walk the graph.

        Args:
          inputs: in the order of the graph's inputs.
          call: what is known of this call.
          graph: the same graph under other paths, where another node shares these weights.
        """
        graph = self.graph if graph is None else graph
        values: dict[str, Any] = dict(zip(graph.inputs, inputs, strict=True))
        givers = dict(zip(graph.inputs, call.givers, strict=True))
        owners: dict[str, _Modules] = {}
        by_phase = graph.wrap is not None and graph.wrap.kind == "phase"
        wanted = "train" if call.context.train else "eval"
        for node in graph.nodes:
            if by_phase and node.name != wanted and not self.is_initializing():
                continue
            arguments = tuple(_read(values, name, f"{node.key}.from") for name in node.inputs)
            makers = tuple(givers[name.partition(".")[0]] if name else "" for name in node.inputs)
            if node.name == MERGED and node.key.endswith(".residual") and node.inputs[1] in graph.inputs:
                require_kept(node, arguments, makers)
            values[node.name] = _run(node, arguments, replace(call, givers=makers), owners)
            givers[node.name] = f"{node.key} ({node.op})"
            if node.path in call.probes:
                self.put_variable("intermediates", PROBE + node.path, values[node.name])
        if by_phase:
            if self.is_initializing():
                _require_one_shape(graph, values)
            return {"output": values[wanted]}
        return {name: _read(values, reference, f"{graph.key}.outputs.{name}") for name, reference in graph.outputs}


def _require_one_shape(graph: Graph, values: dict[str, Any]) -> None:
    """What follows a `cond` must not depend on what the network is called for."""
    trained, otherwise = described(values["train"]), described(values["eval"])
    if trained != otherwise:
        raise ConfigError(
            Problem(
                graph.key,
                f"the branches differ: {trained} in training and {otherwise} otherwise",
                "branches that give one shape and dtype",
                fix=f"change {graph.key}.eval, or put a layer into it that makes it fit",
            )
        )


@dataclass(frozen=True)
class _Modules:
    """The modules that hold the weights of one node: one, one that stands for scanned copies, or one for each copy."""

    modules: tuple[nn.Module, ...]
    names: tuple[str, ...]
    scan: bool


def _read(values: dict[str, Any], reference: str | None, key: str) -> Any:
    """The value that a reference names; `key` is the config key that holds it."""
    if reference is None:
        return None
    name, _, output = reference.partition(".")
    value = values[name]
    if not output:
        return value
    try:
        return value[int(output) if output.isdigit() else output]
    except (KeyError, IndexError, TypeError) as error:
        parts = [str(item) for item in (range(len(value)) if isinstance(value, tuple | list) else value)]
        near = closest(output, parts) or parts[-1]
        raise ConfigError(
            Problem(
                key,
                f"'{name}' gives {described(value)}, and none of them is '{output}'",
                f"one of {listed(f'{name}.{part}' for part in parts)}",
                fix=f"{key}={name}.{near}",
            )
        ) from error


def _run(node: Node, inputs: tuple[Any, ...], call: Call, owners: dict[str, _Modules]) -> Any:
    """The value of a node; what holds its weights is made on its first use and kept for those that share it."""
    owner = node.share or node.name
    borrowed = _borrowed(node)
    if borrowed or isinstance(node.body, Expression):
        owner = node.name
        if node.share:
            inputs = (*inputs, *_parameters(node, borrowed, owners[node.share]))
            givers = (f"'{name}' of {node.share}" for name in borrowed)
            call = replace(call, givers=(*call.givers, *givers))
    first = owner not in owners
    if first:
        owners[owner] = _made(node, owner, inputs, call)
    held = owners[owner]
    call = replace(call, owns=call.owns and first)
    if held.scan:
        inputs = _handed_on(replace(node, repeat=1), inputs, call.givers) or inputs
        where = (*call.where, held.names[0])
        inner = replace(call, where=where, copies=call.copies * node.repeat, scans=call.scans + 1)
        weights = partial(call.context.weights, where) if call.context.weights else None
        return scanned(
            node, held.modules[0], inputs, lambda module, *values: _invoke(node, module, values, inner), weights
        )
    value = inputs[0] if inputs else None
    for module, name in zip(held.modules, held.names, strict=True):
        inner = replace(call, where=(*call.where, name))

        def body(module: nn.Module, *values: Any, inner: Call = inner) -> Any:
            return _invoke(node, module, values, inner)

        applied = nn.remat(body) if node.remat else body
        value = applied(module, value, *inputs[1:]) if inputs else applied(module)
    return value


def _borrowed(node: Node) -> tuple[str, ...]:
    """Names of the weights of another node that a node reads, such as the `embedding` of a tied output layer."""
    if isinstance(node.body, Expression):
        return node.body.parameters
    return node.body.borrows if isinstance(node.body, LayerSpec) else ()


def _parameters(node: Node, names: tuple[str, ...], owner: _Modules) -> list[Any]:
    """The weights of another node that a node reads."""
    (module,) = owner.modules
    held = module.variables.get("params", {})
    missing = [name for name in names if not hasattr(held.get(name), "shape")]
    if not missing:
        return [held[name] for name in names]
    if not isinstance(node.body, Expression):
        found = f"'{node.share}' has no '{missing[0]}', which '{node.op}' reads"
        raise ConfigError(Problem(f"{node.key}.share", found, f"a node with that parameter; it has {listed(held)}"))
    near = closest(missing[0], held)
    raise ConfigError(
        Problem(
            f"{node.key}.expr",
            f"'{missing[0]}' is no input and no parameter of '{node.share}'",
            f"inputs: {listed(node.body.names)}; parameters: {listed(held)}",
            fix=f"write {near}" if near else None,
        )
    )


def _made(node: Node, owner: str, inputs: tuple[Any, ...], call: Call) -> _Modules:
    single = replace(node, repeat=1)
    if node.repeat == 1:
        return _Modules((module_of(single, owner),), (owner,), scan=False)
    if _handed_on(single, inputs, call.givers) is not None:
        return _Modules((module_of(single, owner),), (owner,), scan=True)
    names = tuple(f"{owner}_{index}" for index in range(node.repeat))
    return _Modules(tuple(module_of(single, name) for name in names), names, scan=False)


def _handed_on(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...]) -> tuple[Any, ...] | None:
    """What copies of a node take that can be a scan: one gives an array of the shape and dtype that it takes first.

    A first input in another number format than copies compute in is cast to theirs, so that parameters stand in one
    place whatever the precision. None where a copy gives something else.

    It depends on the node and on shapes alone, so that `init` and `apply` decide alike.
    """
    if not inputs:
        return None
    given = tuple(map(_abstract, inputs))
    found = _output_of(node, given, givers)
    if found == given[0]:
        return inputs
    if not all(isinstance(one, jax.ShapeDtypeStruct) and _is_float(one) for one in (found, given[0])):
        return None
    if found.shape != given[0].shape or _output_of(node, (found, *given[1:]), givers) != found:
        return None
    return (inputs[0].astype(found.dtype), *inputs[1:])


def _is_float(array: Any) -> bool:
    return jnp.issubdtype(array.dtype, jnp.floating)


def _output_of(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...]) -> Any:
    try:
        return _output(node, inputs, givers)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        return _output.__wrapped__(node, inputs, givers)


@lru_cache(maxsize=512)
def _output(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...]) -> Any:
    """The shape and dtype of what a node gives."""

    def once(*values: Any) -> Any:
        key = jax.random.key(0)
        rngs = {"params": key, "dropout": key}
        if isinstance(node.body, Graph):
            body = node.body
            start = nn.init_with_output(
                lambda module, *values: entered(module, body, values, Call(givers=givers)), GraphModule(body)
            )
            with blamed(node, values, givers):
                outputs, _ = start(rngs, *values)
            return next(iter(outputs.values())) if len(outputs) == 1 else outputs
        with blamed(node, values, givers):
            return leaf_module(node, None).init_with_output(rngs, *values, context=Context())[0]

    with starts_skipped():
        # Of the layout over devices, which JAX notes on abstract values too, nothing may remain.
        return _abstract(jax.eval_shape(once, *inputs))


def module_of(node: Node, name: str | None) -> nn.Module:
    """The module that computes a node once; `name` is None outside of another module."""
    return GraphModule(node.body, name=name) if isinstance(node.body, Graph) else leaf_module(node, name)


def _invoke(node: Node, module: nn.Module, inputs: tuple[Any, ...], call: Call) -> Any:
    """Call a node once."""
    place = None if call.visits is None else len(call.visits)
    if call.visits is not None:
        call.visits.append(None)
    if node.freeze:
        call = replace(call, context=replace(call.context, frozen=True))
    with blamed(node, inputs, call.givers, owns=call.owns):
        if isinstance(node.body, Graph):
            outputs = entered(module, node.body, inputs, call)
            value = next(iter(outputs.values())) if len(outputs) == 1 else outputs
        else:
            value = module(*inputs, context=call.context)
    if call.visits is not None and place is not None:
        given = tuple(map(_abstract, inputs))
        call.visits[place] = Visit(node, call.where, call.owns, given, _abstract(value), call.copies, call.scans)
    return value


def _abstract(value: Any) -> Any:
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), value)
